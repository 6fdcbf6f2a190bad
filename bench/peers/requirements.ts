import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { postgresPrograms } from './postgres-server.ts'

const run = promisify(execFile)

/** File systems that keep files in memory, by the numbers that `statfs` gives them. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6])

async function isInstalled(program: string, flag: string): Promise<boolean> {
  return run(program, [flag]).then(
    () => true,
    // wrk prints its version and ends with 1.
    (error) => error.code !== 'ENOENT',
  )
}

/** What is missing on this machine, a sentence each, with the command that mends it. Empty: nothing is. */
export async function missingRequirements(directory: string): Promise<string[]> {
  const missing: string[] = []
  if (!(await isInstalled('wrk', '-v')))
    missing.push('wrk, the load generator, is missing: apt-get install wrk')
  if (!(await isInstalled('etcd', '--version'))) missing.push('etcd is missing: apt-get install etcd-server')
  const programs = postgresPrograms()
  for (const program of ['postgres', 'pg_basebackup', 'pgbench']) {
    if (programs === undefined || !existsSync(`${programs}/${program}`)) {
      missing.push(`${program} of Postgres is missing: apt-get install postgresql-15`)
    }
  }
  if (IN_MEMORY.has((await statfs(directory)).type)) {
    missing.push(
      `${directory} is in memory, so nothing would be synced to a disk: name another with --directory`,
    )
  }
  return missing
}
