import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { recordSyncs } from '../testing/recorded-syncs.ts'
import { assertNothingLeft, processCounts } from '../testing/resource-counts.ts'
import { WholeFile } from './whole-file.ts'

async function aDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-whole-file-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

for (const mayReplace of [true, false]) {
  test(`a file is on the disk before it has its name, and its name before the commit ends (${mayReplace ? 'a rename' : 'a link'})`, {
    skip: !existsSync('/proc/self/fd'),
  }, async (t) => {
    const directory = await aDirectory(t)
    const path = join(directory, 'f')
    const recorded = await recordSyncs(t)
    const file = await WholeFile.create(path)
    await file.write('whole')
    assert.ok(await file.commit({ mayReplace }))
    const steps = recorded.map((step) => step.replace(/partial-[0-9a-f]{8}$/, 'partial'))
    assert.deepEqual(steps, [`sync ${path}.partial`, `name ${path}`, `sync ${directory}`])
    assert.deepEqual(await readdir(directory), ['f'])
  })
}

test('a file is its owner’s alone from its first byte on', async (t) => {
  const directory = await aDirectory(t)
  const file = await WholeFile.create(join(directory, 'f'))
  const [partial] = await readdir(directory)
  assert.equal((await stat(join(directory, partial!))).mode & 0o777, 0o600)
  await file.discard()
})

test('neither a commit nor a discard leaves a file, a descriptor or a listener', async (t) => {
  const directory = await aDirectory(t)
  const path = join(directory, 'f')
  const counts = () => ({ ...processCounts(), 'exit listeners': process.listenerCount('exit') })
  await assertNothingLeft(counts, async () => {
    const committed = await WholeFile.create(path)
    await committed.write('one')
    assert.ok(await committed.commit({ mayReplace: true }))
    await committed.discard()
    const refused = await WholeFile.create(path)
    await refused.write('two')
    assert.ok(!(await refused.commit({ mayReplace: false })))
    await refused.discard()
    const discarded = await WholeFile.create(path)
    await discarded.discard()
    await discarded.discard()
  })
  assert.deepEqual([await readdir(directory), await readFile(path, 'utf8')], [['f'], 'one'])
})

test('a name that cannot be given leaves nothing but what was there', async (t) => {
  const directory = await aDirectory(t)
  const path = join(directory, 'd')
  const file = await WholeFile.create(path)
  await file.write('x')
  const { mkdir } = await import('node:fs/promises')
  await mkdir(path)
  await writeFile(join(path, 'theirs'), '')
  await assert.rejects(file.commit({ mayReplace: true }))
  await file.discard()
  assert.deepEqual(await readdir(directory), ['d'])
})
