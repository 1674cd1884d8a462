// node:os, of a machine that a Worker cannot see.

export const EOL = "\n", devNull = "/dev/null";
export const arch = () => "x64", platform = () => "linux", type = () => "Linux", release = () => "", version = () => "";
export const hostname = () => "localhost", homedir = () => "/", tmpdir = () => "/tmp", endianness = () => "LE", machine = () => "x86_64";
export const cpus = () => [], loadavg = () => [0, 0, 0], networkInterfaces = () => ({}), totalmem = () => 0, freemem = () => 0;
export const uptime = () => 0, availableParallelism = () => 1;
export const userInfo = () => ({ uid: -1, gid: -1, username: "", homedir: "/", shell: null });
export const constants = { signals: {}, errno: {}, priority: {} };
export default {
  EOL, devNull, arch, platform, type, release, version, hostname, homedir, tmpdir, endianness, machine, cpus, loadavg,
  networkInterfaces, totalmem, freemem, uptime, availableParallelism, userInfo, constants,
};
