// The analytics_engine binding. Points of one turn go to the host together, as a promise that keeps the request alive.

const MAX_POINTS = 250; // of one call of the host
const pointText = (value) => (value === null || value === undefined ? "" : isBuffer(value) || isView(value) ? decodeText(bytesOf(value)) : `${value}`.toWellFormed());

function pointList(values, most, what, make) {
  if (values === undefined || values === null) return [];
  const list = Array.from(values, make);
  if (list.length > most) throw new TypeError(`writeDataPoint(): Maximum of ${most} ${what} supported.`);
  return list;
}

const pointSize = (texts) => texts.reduce((sum, text) => sum + encodeText(text).byteLength, 0);

function dataPointOf(event) {
  const given = dictionary(event, "event");
  const indexes = pointList(given.indexes, 1, "indexes", pointText);
  const blobs = pointList(given.blobs, 20, "blobs", pointText);
  const doubles = pointList(given.doubles, 20, "doubles", Number);
  if (pointSize(indexes) > 96) throw new TypeError("writeDataPoint(): Size of indexes exceeds 96 bytes.");
  if (pointSize(blobs) > 16384) throw new TypeError("writeDataPoint(): Cumulative size of blobs exceeds 16384 bytes.");
  return ownMembers({ indexes, blobs, doubles });
}

class AnalyticsEngineDataset {
  #index;
  #points = [];

  constructor(secret, index) {
    if (secret !== SECRET) throw illegal();
    this.#index = index;
  }

  writeDataPoint(event = undefined) {
    insideHandler();
    this.#points.push(dataPointOf(event));
    if (this.#points.length === MAX_POINTS) this.#send(noop);
    if (this.#points.length !== 1) return;
    const { promise, resolve } = withResolvers();
    sw.hold(promise);
    microtask(() => this.#send(resolve));
  }

  // #send gives the host what there is. That it could not is nobody's error: the call is long over.
  #send(done) {
    const points = this.#points;
    this.#points = [];
    if (points.length === 0) return done();
    const request = new BindingRequest(BINDING_URL, { method: "PUT", body: toJSON(points) });
    upon(promised(() => askBinding(this.#index, "", undefined, request)), done, done);
  }
}

interfaceOf(AnalyticsEngineDataset);
bindingMakers.analytics_engine = ({ index }) => new AnalyticsEngineDataset(SECRET, index);
