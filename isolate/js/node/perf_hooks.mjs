// node:perf_hooks: time as Workers have it.

export const { performance } = globalThis;
export const constants = {};
export const monitorEventLoopDelay = () => ({ enable: () => false, disable: () => false, min: 0, max: 0, mean: NaN, stddev: NaN, percentile: () => 0 });
export default { performance, constants, monitorEventLoopDelay };
