/** Every benchmark runs to its end with small amounts. What it measures then means nothing. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { assertInstalled } from '../installed.ts'
import { runScript } from './run-program.ts'

const MINUTE_MS = 60_000

const SHORT = ['--seconds', '1', '--rounds', '1']

/** By script of package.json: the arguments of a small run. `directory` is for what the run writes. */
const SMALL: { readonly [script: string]: (directory: string) => readonly string[] } = {
  bench: () => ['--clients', '8', ...SHORT],
  'bench:outage': () => ['--clients', '8', ...SHORT],
  'bench:membership': () => ['--amount', '2000'],
  'bench:first': () => ['--clients', '8', '--rounds', '1', '--first', '2', '--after', '1'],
  'bench:litter': () => ['--amount', '2000', '--grace', '5', '--clients', '8'],
  'bench:lists': () => ['--groups', '2500', '--rounds', '1'],
  'bench:member-litter': () => ['--members', '1000', '--grace', '30', '--litter-seconds', '5'],
  'bench:members': () => ['--clients', '8', ...SHORT],
  'bench:memory': () => ['--amount', '100', '--clients', '4'],
  'bench:doors': () => ['--clients', '8', ...SHORT],
  'bench:repair': () => ['--missed', '2000', '--clients', '4', '--records', '5000'],
  'bench:watch': () => ['--watchers', '20', '--rate', '50', '--seconds', '2'],
  'bench:profile': () => ['--clients', '8', '--seconds', '1'],
  'bench:size': () => ['--groups', '2000', '--few', '500', '--clients', '8', ...SHORT],
  'bench:start': () => ['--records', '60000', '--starts', '1'],
  'bench:versions': () => ['--other', '.', '--clients', '8', '--groups', '500', ...SHORT],
  'bench:engines': () => ['--clients', '8', ...SHORT],
  'bench:peers': (directory) => [
    ...['--out', directory, '--directory', directory, '--seeds', '500', '--warm', '2'],
    ...['--open-seconds', '2', '--outage-seconds', '2', ...SHORT],
  ],
}

const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: { [name: string]: string }
}

for (const [name, command] of Object.entries(manifest.scripts)) {
  if (!/^bench(:|$)/.test(name)) continue
  test(`npm run ${name} runs to its end`, async () => {
    const argsOf = SMALL[name] ?? assert.fail(`say in this file how ${name} runs for a short time`)
    const [node, file = ''] = command.split(' ')
    assert.equal(node, 'node')
    assertInstalled('wrk')
    if (name === 'bench:engines') assertInstalled('pgbench', 'postgresql-contrib')
    await using directory = await temporaryDirectory()
    assert.notEqual(await runScript(10 * MINUTE_MS, file, ...argsOf(directory.path)), '')
  })
}
