// Random workflows whose matrices provoke coercions, partial matches and errors. The same seed gives the same ones.

const KEYS = ['service', 'Service', 'environment', 'os', 'x', 'tag'];
const STRINGS = ['a', 'A', 'b', '', '16', '0x10', '1', '0', 'true', 'null', ' 1 ', '1.0', '1e1', "it's", 'ä', 'Ä', '{', 'NaN', '.5', '0o20', '+1', 'Infinity', 'Object'];
const NUMBERS = ['0', '1', '16', '016', '0x10', '0o20', '1.6e1', '1.10', '-1', '+1', '0.1', '.5', '1.', '1e3', '20260107', '-0', '1000000000000000000000'];
const INNER = ['a', 'b', 'A', '0', '1', 'x-y'];
// Strings that are plain scalars and stay strings.
const PLAIN = /^[aAbäÄ]$|^Object$|^it's$|^NaN$|^Infinity$/;

const generator = seed => () => {          // mulberry32
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
};

class Maker {
  constructor(seed) { this.random = generator(seed); }
  below(limit) { return Math.floor(this.random() * limit); }
  pick(list) { return list[this.below(list.length)]; }
  often(chance) { return this.random() < chance; }
  list(most, make) { return Array.from({length: this.below(most + 1)}, make); }

  // A value: {text} a YAML number, {fields} pairs, an array, or a plain JavaScript scalar.
  value(depth) {
    const kind = this.below(depth > 0 ? 12 : 9);
    if (kind < 4) return this.pick(STRINGS);
    if (kind < 7) return {text: this.pick(NUMBERS)};
    if (kind < 8) return this.often(0.5);
    if (kind < 9) return null;
    if (kind < 11) return {fields: this.pairs(INNER, 3, () => this.value(depth - 1))};
    return this.list(3, () => this.value(depth - 1));
  }

  pairs(keys, most, make) {
    const pairs = [];
    for (const key of this.list(most, () => this.pick(keys))) {
      const taken = pairs.some(([name]) => name.toLowerCase() === key.toLowerCase());
      if (!taken || this.often(0.02)) pairs.push([key, make(key)]);
    }
    return pairs;
  }

  // A demand on one of the values, often a part of one, with its scalars spelt in another way. `0X10` and `0O20` stay
  // out: GitHub's JavaScript takes them for numbers, its runner does not.
  demand(values) {
    const vary = value => {
      if (value === null || typeof value === 'boolean') return this.often(0.2) ? this.value(0) : value;
      if (typeof value === 'string') return this.often(0.2) ? (this.often(0.5) && !/^0/.test(value) ? value.toUpperCase() : {text: this.pick(NUMBERS)}) : value;
      if (value.text) return this.often(0.2) ? value.text : value;
      if (value.fields) return {fields: value.fields.filter(() => this.often(0.7)).map(([key, inner]) => [this.often(0.2) ? key.toUpperCase() : key, vary(inner)])};
      return this.often(0.2) ? {fields: value.map((inner, i) => [String(i), vary(inner)])} : value.slice(0, 1 + this.below(3)).map(vary);
    };
    return this.often(0.8) && values.length ? vary(this.pick(values)) : this.value(2);
  }

  matrix() {
    const vectors = this.pairs(KEYS, 3, () => this.list(3, () => this.value(2)).concat(this.often(0.97) ? [this.value(2)] : []));
    const byKey = key => (vectors.find(([name]) => name.toLowerCase() === key.toLowerCase()) ?? [key, []])[1];
    const named = vectors.length ? vectors.map(([key]) => this.often(0.2) ? key.toUpperCase() : key) : KEYS;
    const item = keys => ({fields: this.pairs(keys, 3, key => this.demand(byKey(key)))});
    const full = keys => { let made = item(keys); for (let i = 0; i < 5 && !made.fields.length; i++) made = item(keys); return made; };
    const pairs = [...vectors];
    if (this.often(0.6)) pairs.splice(this.below(pairs.length + 1), 0, ['include', this.list(4, () => full(this.often(0.6) ? [...named, 'x', 'y', 'Y'] : [...KEYS, 'y']))]);
    if (this.often(0.5)) pairs.splice(this.below(pairs.length + 1), 0, ['exclude', this.list(3, () => full(this.often(0.97) ? named : KEYS))]);
    return {fields: pairs};
  }

  json(value) {
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    if (value.text) return JSON.stringify(Number(value.text.replace(/^([-+]?)0(\d)/, '$1$2')));
    if (value.fields) return `{${value.fields.map(([key, inner]) => `${JSON.stringify(key)}:${this.json(inner)}`).join(',')}}`;
    return `[${value.map(inner => this.json(inner)).join(', ')}]`;
  }

  quoted(text) {
    return this.often(0.5) ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
  }

  // What GitHub's JavaScript does otherwise than its runner stays out: in `fromJSON`, keys that are integers (it moves
  // them to the front), keys that differ in case (the first one counts), and a second quote (it stays doubled).
  literal(value) {
    const safe = value => value === null || typeof value !== 'object' ? true : value.text ? true
      : value.fields ? value.fields.every(([key, inner]) => !/^\d+$/.test(key) && safe(inner))
        && new Set(value.fields.map(([key]) => key.toLowerCase())).size === value.fields.length : value.every(safe);
    const json = this.json(value);
    return safe(value) && json.split("'").length < 3 && this.quoted(`\${{ fromJSON('${json.replace("'", "''")}') }}`);
  }

  yaml(value, chance = 0.05) {
    if (this.often(chance)) {
      const literal = this.literal(value);
      if (literal) return literal;
    }
    if (value === null) return this.pick(['null', '~', 'Null']);
    if (typeof value === 'boolean') return this.pick([String(value), String(value).toUpperCase()]);
    if (typeof value === 'string') {
      if (this.often(0.03)) return this.quoted(`\${{ '${value.replaceAll("'", "''")}' }}`);
      return PLAIN.test(value) && this.often(0.6) ? value : this.quoted(value);
    }
    if (value.text) return value.text;
    if (value.fields) return `{${value.fields.map(([key, inner]) => `${/^\d/.test(key) ? this.quoted(key) : key}: ${this.yaml(inner)}`).join(', ')}}`;
    return `[${value.map(inner => this.yaml(inner)).join(', ')}]`;
  }

  // One level of block style, everything deeper in flow style.
  block(matrix, indent) {
    const lines = matrix.fields.flatMap(([key, values]) => values.length && this.often(0.5)
      ? [`${key}:`, ...values.map(value => `  - ${this.yaml(value)}`)] : [`${key}: ${this.yaml(values)}`]);
    return lines.length ? `\n${lines.map(line => indent + line).join('\n')}` : ' {}';
  }

  workflow() {
    const matrix = this.matrix();
    const literal = this.often(0.1) && this.literal(matrix);
    const text = literal ? ` ${literal}` : this.block(matrix, '        ');
    return `on: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:${text}\n    steps:\n      - run: 'true'\n`;
  }
}

export const workflows = (count, seed) => Array.from({length: count}, (_, i) => new Maker(seed * 1_000_003 + i).workflow());
