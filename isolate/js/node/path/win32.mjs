// node:path/win32.
export * from "node:path";
export { default } from "node:path";
