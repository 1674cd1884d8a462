// FormData: a list of names with a string or a File each.

class FormData {
  #entries = [];

  constructor(form = undefined) {
    if (form === SECRET) this.#entries = arguments[1];
    else if (form !== undefined) throw new TypeError("FormData: there are no forms to read here");
  }

  append(name, value, filename = undefined) {
    need(arguments.length, 2, "append");
    this.#entries.push(formEntry(name, value, filename, arguments.length > 2));
  }

  set(name, value, filename = undefined) {
    need(arguments.length, 2, "set");
    const entry = formEntry(name, value, filename, arguments.length > 2);
    const at = this.#entries.findIndex(([other]) => other === entry[0]);
    if (at < 0) {
      this.#entries.push(entry);
      return;
    }
    this.#entries = this.#entries.filter(([other], i) => i === at || other !== entry[0]);
    this.#entries[at] = entry;
  }

  delete(name) {
    need(arguments.length, 1, "delete");
    const wanted = `${name}`.toWellFormed();
    this.#entries = this.#entries.filter(([other]) => other !== wanted);
  }

  get(name) {
    need(arguments.length, 1, "get");
    const wanted = `${name}`.toWellFormed();
    return this.#entries.find(([other]) => other === wanted)?.[1] ?? null;
  }

  getAll(name) {
    need(arguments.length, 1, "getAll");
    const wanted = `${name}`.toWellFormed();
    return this.#entries.filter(([other]) => other === wanted).map(([, value]) => value);
  }

  has(name) {
    need(arguments.length, 1, "has");
    const wanted = `${name}`.toWellFormed();
    return this.#entries.some(([other]) => other === wanted);
  }

  forEach(callback, self = undefined) {
    need(arguments.length, 1, "forEach");
    if (typeof callback !== "function") throw new TypeError("forEach: the callback is not a function");
    for (const [name, value] of pairs(() => this.#entries)) apply(callback, self, [value, name, this]);
  }

  entries() { return this.#walk((entry) => [...entry]); }
  keys() { return this.#walk(([name]) => name); }
  values() { return this.#walk(([, value]) => value); }

  #walk(pick) {
    return new FormDataIterator(() => this.#entries, pick);
  }

  static isFormData(value) { return typeof value === "object" && value !== null && #entries in value; }
  static formEntries(form) { return form.#entries; }
}

const { isFormData, formEntries } = FormData;
for (const name of ["isFormData", "formEntries"]) delete FormData[name];

function formEntry(name, value, filename, named) {
  const key = `${name}`.toWellFormed();
  if (isBlob(value)) return [key, fileNamed(value, filename === undefined ? undefined : `${filename}`.toWellFormed())];
  if (named) throw new TypeError("FormData: a value with a file name must be a Blob");
  return [key, `${value}`.toWellFormed()];
}

// pairs walks a list that may change under way, as the iterators do.
function* pairs(list) {
  for (let i = 0; i < list().length; i++) yield list()[i];
}

// Web IDL's iterators have no constructor, and %IteratorPrototype% behind them.
class FormDataIterator {
  #list;
  #pick;
  #at = 0;

  constructor(list, pick) {
    this.#list = list;
    this.#pick = pick;
  }

  next() {
    const list = this.#list();
    if (this.#at >= list.length) return { value: undefined, done: true };
    return { value: this.#pick(list[this.#at++]), done: false };
  }
}

enumerableMembers(FormDataIterator.prototype);
delete FormDataIterator.prototype.constructor;
setPrototypeOf(FormDataIterator.prototype, Iterator.prototype);
tagged(FormDataIterator.prototype, "FormData Iterator");

publish(FormData);
hidden(FormData.prototype, Symbol.iterator, FormData.prototype.entries);
