// The modules of Node's that there are; nodebuild.mjs fills them in.
const names = new Set(NODE_MODULES.split(","));

export const isBuiltin = (name) => names.has(`${name}`.replace(/^node:/, ""));
export const builtinModules = [...names];
