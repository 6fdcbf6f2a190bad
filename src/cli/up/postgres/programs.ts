/** Finds the programs of Postgres that are installed on this machine. */
import { execFile } from 'node:child_process'
import { access, constants, glob } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { environmentOfChild } from '../../../config/environment.ts'
import { SERVER_MIN } from '../../../engines/postgres/problems.ts'
import { CommandFailure } from '../../failure.ts'

const VERSION_MS = 10_000

/** Where packages put the programs, besides the PATH: Debian and Ubuntu, Red Hat, Homebrew, Postgres.app. */
const PLACES = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
  '/Applications/Postgres.app/Contents/Versions/latest/bin',
]

/** A directory with `postgres` and `initdb`, and the major version of the two. */
export type PostgresPrograms = Readonly<{ directory: string; major: number }>

/**
 * The newest Postgres of this machine, or the one that data were made with.
 *
 * @param wanted the major version of the data. `undefined`: there are none yet
 * @throws CommandFailure the sentence that says what to install
 */
export async function findPrograms(
  wanted: number | undefined,
  {
    path = environmentOfChild({}).PATH ?? '',
    places = PLACES,
  }: Readonly<{ path?: string; places?: string[] }> = {},
): Promise<PostgresPrograms> {
  const directories = [...path.split(delimiter).filter(Boolean), ...(await Array.fromAsync(glob(places)))]
  const found = (await Promise.all(directories.map(programsIn))).filter((each) => each !== undefined)
  // A stable sort: of two directories with one version, the first of the PATH is taken.
  const best = found
    .filter(({ major }) => major >= Number(SERVER_MIN.name) && (wanted === undefined || major === wanted))
    .sort((a, b) => b.major - a.major)[0]
  if (best !== undefined) return best
  const version =
    wanted === undefined ? `${SERVER_MIN.name} or newer` : `${wanted}, with which the data were made,`
  throw new CommandFailure(
    `Postgres ${version} is not installed here: install it ("apt install postgresql", "brew install postgresql@18"), ` +
      'put the directory of its programs "postgres" and "initdb" on the PATH, or name a database with --database',
  )
}

async function programsIn(directory: string): Promise<PostgresPrograms | undefined> {
  try {
    const server = join(directory, 'postgres')
    for (const program of [server, join(directory, 'initdb')]) await access(program, constants.X_OK)
    const { stdout } = await promisify(execFile)(server, ['--version'], { timeout: VERSION_MS })
    const major = Number(/PostgreSQL\) (\d+)/.exec(stdout)?.[1])
    return Number.isNaN(major) ? undefined : { directory, major }
  } catch {
    return undefined
  }
}
