// Reads workflows and action.yml files with GitHub's own parser and schemas, and prints what it finds wrong.
import fs from 'node:fs';
import path from 'node:path';
import {convertWorkflowTemplate, parseWorkflow} from '@actions/workflow-parser';
import {parseAction} from '@actions/workflow-parser/actions/action-parser';
import {convertActionTemplate} from '@actions/workflow-parser/actions/action-template';
import {ErrorPolicy} from '@actions/workflow-parser/model/convert';

const trace = {info() {}, verbose() {}, error() {}};
const isAction = name => /^action\.ya?ml$/.test(path.basename(name));

async function errorsOf(name) {
  const file = {name, content: fs.readFileSync(name, 'utf8')};
  const {context, value} = isAction(name) ? parseAction(file, trace) : parseWorkflow(file, trace);
  // The conversion finds what the schema does not: needs of unknown jobs, cycles, wrong cron lines.
  if (value && isAction(name)) {
    convertActionTemplate(context, value, {errorPolicy: ErrorPolicy.TryConversion});
  } else if (value) {
    await convertWorkflowTemplate(context, value, undefined, {errorPolicy: ErrorPolicy.TryConversion});
  }
  return context.errors.getErrors().map(error => error.message);
}

async function main(files) {
  if (files.length === 0) {
    console.error('no file to check');
    return 2;
  }
  const errors = (await Promise.all(files.map(errorsOf))).flat();
  errors.forEach(error => console.error(error));
  return errors.length ? 1 : 0;
}

main(process.argv.slice(2)).then(code => { process.exitCode = code; });
