import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The names of the directories of this process begin with it. */
export const PREFIX = `cohort-test-${process.pid}-`

/** A directory that goes away with its owner (`await using`). */
export type TemporaryDirectory = AsyncDisposable & Readonly<{ path: string }>

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), PREFIX))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
