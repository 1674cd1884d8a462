// rxjs: operators, schedulers over timers and microtasks, a stream of them as a body.
//> GET /operators
//> GET /time
//> GET /body
//> GET /error
import { asapScheduler, catchError, concatMap, defer, delay, firstValueFrom, from, groupBy, interval, lastValueFrom, map, merge, mergeMap, of, reduce, retry, scan, Subject, switchMap, take, takeUntil, throwError, timeout, timer, toArray, zip } from "rxjs";
const routes = {
  operators: async () => ({ a: await lastValueFrom(from([1, 2, 3, 4]).pipe(groupBy((n) => n % 2), mergeMap((g) => g.pipe(reduce((s, n) => s + n, 0), map((s) => [g.key, s]))), toArray())), b: await lastValueFrom(zip(of(1, 2), of("a", "b")).pipe(toArray())), c: await firstValueFrom(of(1, asapScheduler).pipe(switchMap((n) => Promise.resolve(n + 1)))) }),
  time: async () => ({ ticks: await lastValueFrom(interval(2).pipe(take(4), scan((s, n) => s + n, 0), toArray())), until: await lastValueFrom(merge(of("x"), of("late").pipe(delay(500))).pipe(takeUntil(timer(10)), toArray())) }),
  body: () => {
    const { readable, writable } = new TransformStream(), writer = writable.getWriter(), encoder = new TextEncoder();
    interval(1).pipe(take(3), concatMap((n) => writer.write(encoder.encode(`n${n};`)))).subscribe({ complete: () => writer.close() });
    return new Response(readable);
  },
  error: async () => {
    let tries = 0;
    const s = new Subject(), got = firstValueFrom(s.pipe(timeout(5), catchError((e) => of(e.name))));
    return { retried: await firstValueFrom(defer(() => (++tries < 3 ? throwError(() => new Error("again")) : of(tries))).pipe(retry(5))), timeout: await got };
  },
};
export default { fetch: async (request) => { const r = await routes[new URL(request.url).pathname.slice(1)](); return r instanceof Response ? r : Response.json(r); } };
