// Computes for as long as LOOPS turns take.
export default {
  fetch(request) {
    let x = 1;
    for (let i = 0; i < LOOPS; i++) x = (x * 31 + i) | 0;
    return new Response(WHO + request.url.slice(-12) + (x === 0.5 ? "?" : "") + "\n");
  },
};
