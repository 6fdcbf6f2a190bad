/**
 * For tests: records the syncs of files. A test that only looks at a file afterwards passes without any sync,
 * because the power does not fail.
 */
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { TestContext } from 'node:test'

const promises: typeof import('node:fs/promises') = createRequire(import.meta.url)('node:fs/promises')

/**
 * Records, in their order, from now to the end of the test: `sync PATH` for each file or directory that is
 * synced, and `name PATH` for each path that a rename or a link gives to a file.
 */
export async function recordSyncs(t: TestContext): Promise<string[]> {
  const recorded: string[] = []
  const pathOf = (fd: number): string => fs.readlinkSync(`/proc/self/fd/${fd}`)
  const { fsyncSync, renameSync } = fs
  const { rename, link } = promises
  t.mock.method(fs, 'fsyncSync', (fd: number) => {
    recorded.push(`sync ${pathOf(fd)}`)
    fsyncSync(fd)
  })
  t.mock.method(fs, 'renameSync', (from: string, to: string) => {
    recorded.push(`name ${to}`)
    renameSync(from, to)
  })
  t.mock.method(promises, 'rename', (from: string, to: string) => {
    recorded.push(`name ${to}`)
    return rename(from, to)
  })
  t.mock.method(promises, 'link', (from: string, to: string) => {
    recorded.push(`name ${to}`)
    return link(from, to)
  })
  const handle = await promises.open('/dev/null')
  const FileHandle: typeof handle = Object.getPrototypeOf(handle)
  await handle.close()
  const { sync } = FileHandle
  t.mock.method(FileHandle, 'sync', function (this: typeof handle) {
    recorded.push(`sync ${pathOf(this.fd)}`)
    return sync.call(this)
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  return recorded
}
