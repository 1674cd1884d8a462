// Kernels, one a path: what an interpreter loses to a JIT. Every engine gives the same answers.
const kernels = {
  fib() {
    const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
    return fib(20);
  },
  sieve() {
    const composite = new Uint8Array(20000);
    let primes = 0;
    for (let i = 2; i < composite.length; i++) {
      if (composite[i]) continue;
      primes++;
      for (let j = i * i; j < composite.length; j += i) composite[j] = 1;
    }
    return primes;
  },
  sort() {
    let seed = 1;
    const list = Array.from({ length: 2000 }, () => (seed = (seed * 16807) % 2147483647));
    return list.sort((a, b) => a - b)[1000];
  },
  map() {
    const map = new Map();
    for (let i = 0; i < 5000; i++) map.set("key" + (i % 500), i);
    let sum = 0;
    for (const value of map.values()) sum += value;
    return sum;
  },
  regex() {
    const text = "2026-11-24 alpha@example.com, 10.0.0.1; ".repeat(50);
    return (text.match(/\b[\w.]+@[\w.]+\.\w+\b/g).length + text.match(/\d{4}-\d\d-\d\d/g).length) * 7;
  },
  string() {
    let text = "";
    for (let i = 0; i < 5000; i++) text += String.fromCharCode(97 + (i % 26));
    return text.split("m").join("-").toUpperCase().length + text.indexOf("xyz");
  },
  matrix() {
    const n = 24, a = new Float64Array(n * n).map((_, i) => i % 7), b = new Float64Array(n * n).map((_, i) => i % 5);
    let trace = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
        if (i === j) trace += sum;
      }
    return trace;
  },
  hash() {
    let hash = 0x811c9dc5;
    for (let i = 0; i < 20000; i++) hash = Math.imul(hash ^ (i & 255), 0x01000193) >>> 0;
    return hash;
  },
};

export default {
  fetch(request) {
    return new Response(String(kernels[new URL(request.url).pathname.slice(1)]()));
  },
};
