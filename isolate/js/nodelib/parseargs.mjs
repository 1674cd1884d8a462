// util.parseArgs, for arguments that are given: a Worker has no command line.
import { coded, invalidArgument } from "./errors.mjs";

export function parseArgs({ args = [], options = {}, strict = true, allowPositionals = !strict } = {}) {
  if (!Array.isArray(args)) throw invalidArgument("args", "Array", args);
  const parser = new ArgumentParser(options, strict, allowPositionals);
  const queue = [...args];
  while (queue.length > 0) parser.take(queue);
  return parser.finish();
}

class ArgumentParser {
  values = Object.create(null);
  positionals = [];

  constructor(options, strict, allowPositionals) {
    this.options = options;
    this.strict = strict;
    this.allowPositionals = allowPositionals;
  }

  take(queue) {
    const argument = queue.shift();
    if (argument === "--") {
      queue.splice(0).forEach((rest) => this.positional(rest));
    } else if (argument.startsWith("--")) {
      const [name, value] = splitOnce(argument.slice(2), "=");
      this.option(name, value, queue, `--${name}`);
    } else if (argument.startsWith("-") && argument.length > 1) {
      this.shorts(argument.slice(1), queue);
    } else {
      this.positional(argument);
    }
  }

  // "-abc" is a, b and c; but what follows one that takes a value is its value.
  shorts(letters, queue) {
    const name = Object.keys(this.options).find((key) => this.options[key].short === letters[0]) ?? letters[0];
    const rest = letters.slice(1);
    if (rest === "") return this.option(name, undefined, queue, `-${letters[0]}`);
    if (this.options[name]?.type === "string") return this.option(name, rest, queue, `-${letters[0]}`);
    this.option(name, undefined, queue, `-${letters[0]}`);
    return this.shorts(rest, queue);
  }

  option(name, given, queue, shown) {
    const option = this.options[name];
    if (!option && this.strict) throw coded(TypeError, "ERR_PARSE_ARGS_UNKNOWN_OPTION", `Unknown option '${shown}'`);
    let value = given;
    if (option?.type === "string" && value === undefined) value = queue.shift();
    if (this.strict && option.type === "string" && value === undefined) {
      throw coded(TypeError, "ERR_PARSE_ARGS_INVALID_OPTION_VALUE", `Option '${shown} <value>' argument missing`);
    }
    if (this.strict && option.type === "boolean" && value !== undefined) {
      throw coded(TypeError, "ERR_PARSE_ARGS_INVALID_OPTION_VALUE", `Option '${shown}' does not take an argument`);
    }
    this.set(name, value ?? true, option?.multiple);
  }

  set(name, value, multiple) {
    if (multiple) (this.values[name] ??= []).push(value);
    else this.values[name] = value;
  }

  positional(argument) {
    if (!this.allowPositionals) {
      throw coded(TypeError, "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL", `Unexpected argument '${argument}'. This command does not take positional arguments`);
    }
    this.positionals.push(argument);
  }

  finish() {
    for (const [name, option] of Object.entries(this.options)) {
      if (option.default !== undefined) this.values[name] ??= option.default;
    }
    return { values: this.values, positionals: this.positionals };
  }
}

function splitOnce(text, by) {
  const at = text.indexOf(by);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
