// node:console.

export const { log, info, warn, error, debug, dir, table, trace, assert, count, countReset, group, groupEnd, time, timeEnd, timeLog } = globalThis.console;
export default globalThis.console;
