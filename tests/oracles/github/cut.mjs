// node cut.mjs FOLDER  writes api.json and events.jsonl; run.sh tells what they are.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const folder = process.argv[2];

const RUNS = '/repos/{owner}/{repo}/check-runs';
const COMMENTS = '/repos/{owner}/{repo}/issues';
const USED = {
    [RUNS]: ['post'],
    [`${RUNS}/{check_run_id}`]: ['get', 'patch'],
    '/repos/{owner}/{repo}/commits/{ref}/check-runs': ['get'],
    [`${COMMENTS}/{issue_number}/comments`]: ['get', 'post'],
    [`${COMMENTS}/comments/{comment_id}`]: ['get', 'patch', 'delete'],
};

const generated = 'node_modules/@octokit/openapi/generated/api.github.com.json';
const whole = JSON.parse(readFileSync(generated, 'utf8'));
const api = { openapi: whole.openapi, info: whole.info, servers: whole.servers, paths: {}, components: {} };
for (const [path, methods] of Object.entries(USED)) {
    const { parameters } = whole.paths[path];
    api.paths[path] = parameters ? { parameters } : {};
    for (const method of methods) {
        if (!whole.paths[path][method]) throw Error(`GitHub describes no ${method} ${path}`);
        api.paths[path][method] = whole.paths[path][method];
    }
}

/** Takes over whatever `part` refers to. */
function reach(part) {
    if (part === null || typeof part !== 'object') return;
    if (typeof part.$ref === 'string') {
        const [, , kind, name] = part.$ref.split('/');
        const known = (api.components[kind] ??= {});
        if (!(name in known)) {
            known[name] = whole.components[kind][name];
            reach(known[name]);
        }
    }
    Object.values(part).forEach(reach);
}
reach(api.paths);

/** GitHub drops a field that it does not know, and says nothing: here it is a mistake. */
function close(schema) {
    if (schema.properties) schema.additionalProperties = false;
    if (schema.items) close(schema.items);
    Object.values(schema.properties ?? {}).forEach(close);
}

const operations = Object.values(api.paths).flatMap((path) => Object.values(path)).filter((it) => it.responses);
for (const { requestBody } of operations) {
    if (requestBody) close(requestBody.content['application/json'].schema);
}
// The media type that GitHub recommends to ask for is not in its description.
const answers = [...operations.flatMap((it) => Object.values(it.responses)), ...Object.values(api.components.responses)];
for (const { content } of answers) {
    if (content?.['application/json']) content['application/vnd.github+json'] = content['application/json'];
}
// Nor is that each request needs a token.
api.components.securitySchemes = { token: { type: 'http', scheme: 'bearer' } };
api.security = [{ token: [] }];
writeFileSync(join(folder, 'api.json'), JSON.stringify(api));

const events = require('@octokit/webhooks-examples');
const lines = events.flatMap(({ name, examples }) => examples.flatMap((it) => [JSON.stringify(name), JSON.stringify(it)]));
writeFileSync(join(folder, 'events.jsonl'), lines.join('\n') + '\n');
