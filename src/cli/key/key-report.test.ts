import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiKey } from '../../api/key-schemas.ts'
import { painter } from '../status/table.ts'
import { keyLines } from './key-report.ts'

const KEY: ApiKey = {
  keyId: 'k7Gh3abc',
  name: 'ci',
  role: 'writer',
  prefix: 'team-a/',
  createdAt: '2026-01-15T09:30:00.000Z',
  createdBy: 'key:A1b2C3d4',
  rotatedAt: '2026-01-16T09:30:00.000Z',
  rotatedBy: 'key:Th1efKey',
}

test('a narrow list of keys still tells who has made and rotated each: after a leak, that decides', () => {
  const lines = (columns: number) => keyLines([KEY], new Date(0), { paint: painter(false), columns })
  assert.deepEqual(lines(80), [
    'id        name  role    prefix   expires  last used  by            rotated by',
    'k7Gh3abc  ci    writer  team-a/  never    never      key:A1b2C3d4  key:Th1efKey',
  ])
  assert.match(lines(60)[0]!, /^id +name +role +prefix +expires +by$/)
  assert.match(lines(110)[0]!, / last used +created +by +rotated by$/)
})
