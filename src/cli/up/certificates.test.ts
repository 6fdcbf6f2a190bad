import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificatesIn, keepRenewing, makeCertificates } from './certificates.ts'

const DAY_MS = 86_400_000

test('certificates are renewed once a day, whatever a renewal says, until that is ended', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let renewed = 0
  const failures: string[] = []
  const end = keepRenewing(
    async () => {
      renewed += 1
      if (renewed === 1) throw new Error('the disk is full')
    },
    (reason) => failures.push(reason),
  )
  t.mock.timers.tick(DAY_MS - 1)
  assert.equal(renewed, 0)
  t.mock.timers.tick(1)
  assert.equal(renewed, 1)
  t.mock.timers.tick(2 * DAY_MS)
  assert.equal(renewed, 3)
  await undefined
  await undefined
  assert.deepEqual(failures, ['the disk is full'])
  end()
  t.mock.timers.tick(10 * DAY_MS)
  assert.equal(renewed, 3)
})

test('the first start makes a CA and the certificates of all services, and further starts keep them', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-up-certificates-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const services = [
    { kind: 'node', name: 'node1', host: '127.0.0.1' },
    { kind: 'connector', name: 'connector1', host: '127.0.0.1' },
  ] as const
  const { caFile, filesOf } = certificatesIn(directory)
  const files = services.flatMap(({ kind, name }) => {
    const { cert, key } = filesOf(kind, name)
    return [cert, key]
  })
  const contents = () => [caFile, ...files].map((file) => readFileSync(file, 'utf8'))
  await makeCertificates(directory, services)
  const made = contents()
  await makeCertificates(directory, services)
  assert.deepEqual(contents(), made)
})
