import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hashLineOf } from '../../access/admin-keys.ts'
import { adminKeyFiles, makeAdminKey } from './admin-key.ts'

function filesIn(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-admin-key-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const files = adminKeyFiles(directory)
  const contents = () => ({
    token: readFileSync(files.keyFile, 'utf8').trim(),
    hash: readFileSync(files.hashFile, 'utf8').trim(),
  })
  return { files, contents }
}

test('the first start makes an admin key that its owner alone can read, and further starts keep it', async (t) => {
  const { files, contents } = filesIn(t)
  await makeAdminKey(files)
  const made = contents()
  assert.equal(made.hash, hashLineOf(made.token))
  assert.equal(statSync(files.keyFile).mode & 0o777, 0o600)
  await makeAdminKey(files)
  assert.deepEqual(contents(), made)
})

test('a start that ended between the two files is completed with the key that it has made', async (t) => {
  const { files, contents } = filesIn(t)
  await makeAdminKey(files)
  const made = contents()
  rmSync(files.hashFile)
  await makeAdminKey(files)
  assert.deepEqual(contents(), made)
})

test('a key that was moved to a safer place is not made again', async (t) => {
  const { files } = filesIn(t)
  await makeAdminKey(files)
  rmSync(files.keyFile)
  await makeAdminKey(files)
  assert.throws(() => statSync(files.keyFile), { code: 'ENOENT' })
})
