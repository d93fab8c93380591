// Expands the matrices of workflows with GitHub's own parser, schema and expressions. The expansion itself
// follows the runner's MatrixBuilder, which makes an expression of every leaf of a filter and evaluates it.
import fs from 'node:fs';
import path from 'node:path';
import {parseWorkflow} from '@actions/workflow-parser';
import {Evaluator, Lexer, Parser, data} from '@actions/expressions';
import {parseDocument, visit} from 'yaml';
import {workflows} from './random.mjs';

const {Kind} = data;
// The kinds of tokens that the workflow parser makes.
const SEQUENCE = 1, MAPPING = 2, EXPRESSION = 3, BOOLEAN = 5, NUMBER = 6, NULL = 7;

const evaluate = (expression, context = new data.Dictionary()) => {
  const names = context.pairs().map(({key}) => key);
  return new Evaluator(new Parser(new Lexer(expression).lex().tokens, names, []).parse(), context).evaluate();
};

const fromToken = token => {
  switch (token.templateTokenType) {
    case SEQUENCE: return new data.Array(...[...token].map(fromToken));
    case MAPPING: return new data.Dictionary(...[...token].map(({key, value}) =>
      ({key: key.templateTokenType === EXPRESSION ? evaluate(key.expression).coerceString() : String(key.value), value: fromToken(value)})));
    case EXPRESSION: return evaluate(token.expression);
    case BOOLEAN: return new data.BooleanData(token.value);
    case NUMBER: return new data.NumberData(token.value);
    case NULL: return new data.Null();
    default: return new data.StringData(token.value);
  }
};

// JSON with the keys in their own order, which JSON.stringify would not keep for keys that are integers.
const toJson = value => {
  switch (value.kind) {
    case Kind.Array: return `[${value.values().map(toJson).join(',')}]`;
    case Kind.Dictionary: return `{${value.pairs().map(({key, value}) => `${JSON.stringify(key)}:${toJson(value)}`).join(',')}}`;
    case Kind.Null: return 'null';
    default: return JSON.stringify(value.value);
  }
};

const fail = message => { throw new Error(message); };
const isArray = (value, what) => value.kind === Kind.Array ? value.values() : fail(`${what} is not a sequence`);
const isDictionary = (value, what) => value.kind === Kind.Dictionary ? value.pairs() : fail(`${what} is not a mapping`);
const notEmpty = (list, what) => list.length ? list : fail(`${what} is empty`);
const quote = text => `'${text.replaceAll("'", "''")}'`;

// The expressions, one for each leaf, that decide whether a filter matches.
const conditions = (pairs, at = 'matrix') => pairs.flatMap(({key, value}) => {
  const here = `${at}[${typeof key === 'number' ? key : quote(key)}]`;
  switch (value.kind) {
    case Kind.Dictionary: return conditions(value.pairs(), here);
    case Kind.Array: return conditions(value.values().map((value, key) => ({key, value})), here);
    case Kind.String: return [`${here} == ${quote(value.value)}`];
    case Kind.Number: return [`${here} == ${Number(value.value.toPrecision(15))}`];
    default: return [`${here} == ${toJson(value)}`];
  }
});
const matches = (conditions, matrix) => {
  const context = new data.Dictionary({key: 'matrix', value: matrix});
  return conditions.every(condition => evaluate(condition, context).value === true);
};

const expand = definition => {
  const sections = {include: [], exclude: []}, vectors = [];
  for (const {key, value} of isDictionary(definition, 'the matrix')) {
    const values = isArray(value, key);
    if (key === '') fail('a key is empty');
    if (key in sections) sections[key] = values.map(item => notEmpty(isDictionary(item, `an item of ${key}`), `an item of ${key}`));
    else vectors.push({key, values: notEmpty(values, key)});
  }
  if ([...sections.include, ...sections.exclude].flat().some(({key}) => key === '')) fail('a key is empty');
  if (!vectors.length && !sections.include.length) fail('the matrix defines nothing');
  const isVector = key => vectors.some(vector => vector.key.toUpperCase() === key.toUpperCase());
  const unknown = sections.exclude.flat().find(({key}) => !isVector(key));
  if (unknown) fail(`exclude key '${unknown.key}' does not match any key within the matrix`);

  const excludes = sections.exclude.map(item => conditions(item));
  const includes = sections.include.map(item => ({
    filter: conditions(item.filter(({key}) => isVector(key))),
    named: item.filter(({key}) => isVector(key)),
    extra: item.filter(({key}) => !isVector(key)),
    matched: false,
  }));
  const product = vectors.length ? vectors.reduce((size, {values}) => size * values.length, 1) : 0;
  const entries = [];
  for (let index = 0; index < product; index++) {
    let block = product;
    const pairs = vectors.map(({key, values}) => {
      block /= values.length;
      return {key, value: values[Math.floor(index / block) % values.length]};
    });
    const matrix = new data.Dictionary(...pairs);
    if (excludes.some(filter => matches(filter, matrix))) continue;
    const extra = [];
    for (const include of includes.filter(({filter}) => matches(filter, matrix))) {
      include.matched = true;
      for (const {key, value} of include.extra) {
        const earlier = extra.find(pair => pair.key.toUpperCase() === key.toUpperCase());
        if (earlier) earlier.value = value;
        else extra.push({key, value});
      }
    }
    entries.push(new data.Dictionary(...pairs, ...extra));
  }
  for (const {named, extra} of includes.filter(({matched}) => !matched)) entries.push(new data.Dictionary(...named, ...extra));
  return entries;
};

const property = (mapping, name) => [...mapping].find(({key}) => String(key.value) === name)?.value;
const silent = {info() {}, verbose() {}, error() {}};

// GitHub's JavaScript, made for editors, evaluates an expression of several lines with the indentation of the file.
// Its runner sees the value of the scalar; so does this parser once the value stands in quotes on one line.
const onOneLine = content => {
  const document = parseDocument(content, {uniqueKeys: false});
  let several = false;
  visit(document, {Scalar(_, node) {
    if (typeof node.value !== 'string' || !node.value.includes('${{') || !content.slice(...node.range).includes('\n')) return;
    several = true;
    node.type = 'QUOTE_DOUBLE';
  }});
  return several && !document.errors.length ? document.toString({lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity}) : content;
};

// What the job `deploy` expands to, or the error, as text with a line for each entry.
const expansion = (name, content) => {
  try {
    const {context, value} = parseWorkflow({name, content: onOneLine(content)}, silent);
    const errors = context.errors.getErrors().map(({message}) => message);
    if (errors.length) fail(errors.join('; '));
    const strategy = property(property(property(value, 'jobs'), 'deploy'), 'strategy');
    const matrix = isDictionary(fromToken(strategy), 'the strategy').find(({key}) => key === 'matrix');
    return `[\n${expand(matrix.value).map(entry => `  ${toJson(entry)}`).join(',\n')}\n]\n`;
  } catch (error) {
    return `${JSON.stringify({error: error.message})}\n`;
  }
};

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'fixtures') {
  const [from, to] = rest;
  for (const file of fs.readdirSync(from).filter(file => file.endsWith('.yml')).sort()) {
    const expanded = expansion(file, fs.readFileSync(path.join(from, file), 'utf8'));
    fs.writeFileSync(path.join(to, file.replace(/\.yml$/, '.expanded.json')), expanded);
  }
} else if (mode === 'random') {
  const [count, seed, to] = rest;
  const lines = workflows(Number(count), Number(seed)).map(workflow =>
    `${JSON.stringify({workflow})}\n${expansion('random.yml', workflow).replaceAll('\n', '')}\n`);
  fs.writeFileSync(to, lines.join(''));
} else fail('usage: oracle.mjs fixtures FROM TO | random COUNT SEED FILE');
