import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashLineOf } from '../../access/admin-keys.ts'
import { newToken } from '../../access/key-token.ts'
import { WholeFile } from '../whole-file.ts'

/** Where the admin key of a local cluster is, and its hash. */
export type AdminKeyFiles = Readonly<{ keyFile: string; hashFile: string }>

export function adminKeyFiles(dataDir: string): AdminKeyFiles {
  return { keyFile: join(dataDir, 'admin.key'), hashFile: join(dataDir, 'admin.hash') }
}

/**
 * Makes an admin key in the data directory at the first start. If there is a hash, nothing is made: its key
 * may have been moved to a safer place.
 */
export async function makeAdminKey({ keyFile, hashFile }: AdminKeyFiles): Promise<void> {
  if (existsSync(hashFile)) return
  // The last start may have ended between the two files.
  const token = existsSync(keyFile) ? readFileSync(keyFile, 'utf8').trim() : newToken(randomBytes)
  await WholeFile.replace(keyFile, `${token}\n`)
  await WholeFile.replace(hashFile, `${hashLineOf(token)}\n`)
}
