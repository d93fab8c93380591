// Finds the program for this runner, starts it and passes signals on to it. Shared by index.js, the step itself, and
// post.js, what follows it. Runs on node 20 and newer, and depends on nothing else.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const NAME = 'migration-preflight';
// The one that is committed beside this file, so that pinning the action to a commit pins the bytes that run.
const COMMITTED = `${NAME}-x86_64-unknown-linux-gnu`;
// What the committed one needs of a system; Alpine does without.
const LOADER = '/lib64/ld-linux-x86-64.so.2';
// Those that a release has.
const RELEASED = {
  'linux-x64': `${NAME}-x86_64-unknown-linux-musl`,
  'linux-arm64': `${NAME}-aarch64-unknown-linux-musl`,
  'darwin-x64': `${NAME}-x86_64-apple-darwin`,
  'darwin-arm64': `${NAME}-aarch64-apple-darwin`,
  'win32-x64': `${NAME}-x86_64-pc-windows-msvc.exe`,
};
const ELSEWHERE = 'a runner with Linux on x64';
// The exit code of a run that found nothing out.
const INCOMPLETE = 3;

// What everything here depends on. The tests stand for other systems.
const here = () => ({
  platform: process.platform,
  arch: process.arch,
  hasLoader: fs.existsSync(LOADER),
  env: process.env,
  folder: __dirname,
  // For a whole download, with its repetitions.
  downloadTime: 120_000,
  pauses: [1_000, 5_000],
  // For a program that was told to leave. The runner waits for ten seconds in all.
  leaveTime: 3_000,
  // For what follows a step.
  postTime: 120_000,
});

// The name of the file with the program for a system.
function assetFor({ platform, arch, hasLoader }) {
  if (platform === 'linux' && arch === 'x64' && hasLoader) return COMMITTED;
  const asset = RELEASED[`${platform}-${arch}`];
  if (!asset) throw new Error(`there is no ${NAME} for ${platform} on ${arch}: use ${ELSEWHERE}`);
  return asset;
}

// The path of the program, which may have to be downloaded first.
async function find(system) {
  const asset = assetFor(system);
  const file = asset === COMMITTED ? path.join(system.folder, asset) : await released(asset, system);
  try {
    fs.accessSync(file, fs.constants.X_OK);
  } catch {
    // The bit gets lost where an archive or a file system does not keep it.
    fs.chmodSync(file, 0o755);
  }
  return file;
}

// The path of a program of the release that this version of the action belongs to. Its bytes get to the disk only once
// they have the sum that is committed beside this file.
async function released(asset, system) {
  const read = (name) => fs.readFileSync(path.join(system.folder, name), 'utf8').trim();
  const [version, expected] = [read('VERSION'), sumFor(asset, read('SHA256SUMS'))];
  const { GITHUB_SERVER_URL: server, GITHUB_ACTION_REPOSITORY: repository, RUNNER_TEMP: temporary } = system.env;
  if (!expected || !server || !repository) {
    const reason = expected ? 'it is unknown of which repository it is' : 'dist/SHA256SUMS has no sum of it';
    const instead = `use the action in a released version (uses: OWNER/${NAME}@vX.Y.Z), or ${ELSEWHERE}`;
    throw new Error(`${asset} cannot be downloaded, because ${reason}: ${instead}`);
  }
  const folder = temporary ? path.join(temporary, `${NAME}-${version}`) : fs.mkdtempSync(path.join(os.tmpdir(), NAME));
  const file = path.join(folder, asset);
  // From an earlier step of the job.
  if (fs.existsSync(file) && sumOf(fs.readFileSync(file)) === expected) return file;
  const url = `${server}/${repository}/releases/download/v${version}/${asset}`;
  const bytes = await download(url, system);
  if (sumOf(bytes) !== expected) {
    throw new Error(`${url} is not what was released: its SHA-256 is ${sumOf(bytes)}, and that of the release ${expected}`);
  }
  fs.mkdirSync(folder, { recursive: true });
  const part = `${file}.${process.pid}`;
  fs.writeFileSync(part, bytes, { mode: 0o755 });
  fs.renameSync(part, file);
  return file;
}

// The sum of a file in the format of sha256sum.
function sumFor(name, sums) {
  const lines = sums.split('\n').map((line) => /^([0-9a-f]{64}) [ *](.+)$/.exec(line));
  return lines.find((line) => line?.[2] === name)?.[1];
}

function sumOf(bytes) {
  // Not on the way to the committed program: it takes milliseconds to load.
  return require('node:crypto').createHash('sha256').update(bytes).digest('hex');
}

// What stands at `url`. What may pass by itself is tried again, as long as there is time.
async function download(url, { downloadTime, pauses }) {
  const signal = AbortSignal.timeout(downloadTime);
  for (let attempt = 0; ; attempt++) {
    let problem;
    let isFinal = attempt === pauses.length;
    try {
      const response = await fetch(url, { signal });
      if (response.ok) return Buffer.from(await response.arrayBuffer());
      problem = `HTTP status ${response.status}`;
      isFinal ||= response.status < 500 && response.status !== 429;
    } catch (error) {
      problem = signal.aborted ? `it took more than ${downloadTime / 1000} s` : (error.cause?.message ?? error.message);
    }
    if (isFinal) throw new Error(`${url} could not be downloaded (${problem}): try again, or use ${ELSEWHERE}`);
    await new Promise((resolve) => setTimeout(resolve, pauses[attempt]));
  }
}

// Runs the program to its end. Returns the exit code, or the signal that ended it; and the signal that we were sent.
async function run(words, system, time) {
  let child;
  let cancelled;
  const pass = (signal) => {
    cancelled ??= signal;
    if (!child) process.exit(exitCode(signal));
    child.kill(signal);
    setTimeout(() => child.kill('SIGKILL'), system.leaveTime).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass);
  const file = await find(system);
  // Not spawnSync, during which no signal would arrive.
  child = spawn(file, words, { stdio: 'inherit', env: system.env, timeout: time, killSignal: 'SIGKILL' });
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...end) => resolve(end));
  });
  return { code, signal, cancelled };
}

// The exit code that stands for a signal.
const exitCode = (signal) => 128 + (os.constants.signals[signal] ?? 0);

// The step. Whether it got to its end is noted for what follows it.
async function step(system = here()) {
  note('begun', system);
  try {
    const { code, signal, cancelled } = await run(['action'], system);
    // Whoever leaves with a code of its own has published what there was.
    if (code !== null && code < 128) note('ended', system);
    if (signal && !cancelled) tell('error', `${NAME} was ended by ${signal}`);
    process.exitCode = cancelled ? exitCode(cancelled) : (code ?? exitCode(signal));
  } catch (error) {
    // What cannot be started now cannot be started by post.js either.
    note('ended', system);
    tell('error', error.message);
    process.exitCode = INCOMPLETE;
  }
}

// What follows a step: completes the check of one that was cancelled or killed. It never fails a job.
async function post(system = here()) {
  if (system.env.STATE_begun !== 'true' || system.env.STATE_ended === 'true') return;
  // Not even where a signal arrives before there is a program to pass it on to.
  process.once('exit', () => {
    process.exitCode = 0;
  });
  try {
    const { code, signal } = await run(['action', '--abandoned'], system, system.postTime);
    if (code !== 0) tell('warning', `the check of the cancelled step may be incomplete (${signal ?? `exit code ${code}`})`);
  } catch (error) {
    tell('warning', error.message);
  }
}

// Leaves a word for post.js, which the runner hands over as STATE_….
function note(word, { env }) {
  try {
    if (env.GITHUB_STATE) fs.appendFileSync(env.GITHUB_STATE, `${word}=true\n`);
  } catch {
    // The step is worth more than what follows it.
  }
}

// A line for the log and the page of the run.
function tell(level, text) {
  const escaped = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  console.log(`::${level} title=${NAME}::${escaped}`);
}

module.exports = { assetFor, here, post, step };
