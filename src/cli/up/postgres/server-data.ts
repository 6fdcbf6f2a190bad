/** The data directories of the local servers of Postgres: a primary, and standbys that are copies of it. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makePrivateDirectory } from '../../../process/private-files.ts'
import { counted } from '../../counted.ts'
import { EXIT } from '../../exit-codes.ts'
import { CommandFailure } from '../../failure.ts'

/** The folder in the data directory of `up`. */
export const SERVERS = 'postgres'
/** The user whom the servers know, and its password file. */
export const USER = 'cohort'
const PASSWORD_FILE = 'pgpass'
const INITDB_MS = 120_000

/** The servers that are there already. `undefined`: there are none. */
export type ServerData = Readonly<{ count: number; major: number }> | undefined

export function serverDirectory(dataDir: string, index: number): string {
  return join(dataDir, SERVERS, `server${index + 1}`)
}

export function passwordFile(dataDir: string): string {
  return join(dataDir, SERVERS, PASSWORD_FILE)
}

/**
 * Looks which servers are there.
 *
 * @throws CommandFailure when it is another number of servers than is asked for
 */
export async function findServers(dataDir: string, count: number): Promise<ServerData> {
  const names = await readdir(join(dataDir, SERVERS)).catch(() => [])
  const found = names.filter((name) => /^server\d+$/.test(name)).length
  if (found === 0) return undefined
  if (found !== count) {
    throw new CommandFailure(
      `${dataDir} holds the data of ${counted(found, 'server')} of Postgres, but ${counted(count, 'server')} were asked for: ` +
        `use --nodes ${found}, or another --data-dir`,
      EXIT.usage,
    )
  }
  const version = await readFile(join(serverDirectory(dataDir, 0), 'PG_VERSION'), 'utf8')
  return { count: found, major: Number.parseInt(version, 10) }
}

/**
 * Makes the data of a primary and its standbys. They get their name when all is made, so that an interrupted
 * start leaves nothing half made. The servers have one user, with a password that only its file holds: other
 * users of this machine reach their ports too.
 *
 * @throws CommandFailure what `initdb` has said
 */
export async function makeServers(dataDir: string, programs: string, count: number): Promise<void> {
  const made = join(dataDir, SERVERS)
  const partial = `${made}.new`
  await rm(partial, { recursive: true, force: true })
  makePrivateDirectory(partial, () => false)
  const password = randomBytes(24).toString('hex')
  const passwordOnly = join(partial, 'password')
  await writeFile(passwordOnly, `${password}\n`, { mode: 0o600 })
  await writeFile(join(partial, PASSWORD_FILE), `*:*:*:${USER}:${password}\n`, { mode: 0o600 })
  const primary = join(partial, 'server1')
  try {
    await promisify(execFile)(
      join(programs, 'initdb'),
      [
        ...['-D', primary, '-U', USER, '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256'],
        `--pwfile=${passwordOnly}`,
      ],
      { timeout: INITDB_MS },
    )
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new CommandFailure(
      `initdb could not make the data of Postgres: ${(stderr || message).trim()}`,
      undefined,
      {
        cause: error,
      },
    )
  }
  await rm(passwordOnly)
  for (let index = 1; index < count; index += 1) {
    // A server that has not started yet is copied like any other files.
    const standby = join(partial, `server${index + 1}`)
    await cp(primary, standby, { recursive: true })
    await chmod(standby, 0o700)
    await writeFile(join(standby, 'standby.signal'), '')
  }
  await rename(partial, made)
}

/** The URL of the local database with the password in it. It must not be shown. */
export async function withPassword(url: string, dataDir: string): Promise<string> {
  const line = await readFile(passwordFile(dataDir), 'utf8')
  return url.replace('@', `:${line.trim().split(':').at(-1)}@`)
}
