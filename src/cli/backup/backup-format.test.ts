import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { Group } from '../../group/group.ts'
import { group } from '../../testing/group-arbitraries.ts'
import { BackupWriter, CONSISTENCY, checksumOf } from './backup-format.ts'
import { type BackupEntry, BackupRefusedError, readBackup } from './backup-reader.ts'

const HEADER = {
  clusterId: 'c-1',
  epoch: 2,
  startedAt: '2026-01-01T00:00:00.000Z',
  writtenBy: 'cohort 0.1.0',
}
const WHOLE_HEADER = { format: 'cohort-backup', formatVersion: 2, ...HEADER, consistency: CONSISTENCY }
const FINISHED_AT = '2026-01-01T00:00:09.000Z'
const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-02T00:00:00.000Z' }

const aGroup = (parts: Partial<Group> = {}): Group => ({
  groupId: 'g',
  version: 3,
  incarnation: 'i-1',
  ...TIMES,
  ...parts,
})

function fileOf(groups: readonly Group[]): Buffer {
  const writer = new BackupWriter()
  return Buffer.concat([
    writer.header(HEADER),
    ...groups.map((one) => writer.group(one)),
    writer.end(FINISHED_AT),
  ])
}

/**
 * Writes the format by hand, as docs/backup-format.md describes it, for files that the writer would not make.
 */
function sealed(
  lines: readonly object[],
  count: number = lines.length - 1,
  members: string = '"members":0,',
): Buffer {
  const texts = lines.map((line) => {
    const content = JSON.stringify(line).slice(0, -1)
    return `${content},"crc32":"${checksumOf(content)}"}\n`
  })
  const start = `${texts.join('')}{"count":${count},${members}"finishedAt":"${FINISHED_AT}","sha256":"`
  return Buffer.from(`${start}${createHash('sha256').update(start).digest('hex')}"}\n`)
}

const groups = fc
  .uniqueArray(group, { maxLength: 10, selector: ({ groupId }) => groupId })
  .map((all) => all.toSorted((a, b) => Buffer.compare(Buffer.from(a.groupId), Buffer.from(b.groupId))))

async function entriesOf(file: Buffer, chunkBytes: number = file.length): Promise<BackupEntry[]> {
  return Array.fromAsync(readBackup(chunksOf(file, chunkBytes)))
}

async function* chunksOf(file: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < file.length; start += chunkBytes) yield file.subarray(start, start + chunkBytes)
}

async function refusalOf(file: Buffer): Promise<string> {
  try {
    await entriesOf(file)
  } catch (error) {
    assert.ok(error instanceof BackupRefusedError, String(error))
    return error.message
  }
  return assert.fail('it was read as a whole backup')
}

test('what was written is read, in chunks of any size', async () => {
  await fc.assert(
    fc.asyncProperty(groups, fc.integer({ min: 1, max: 400 }), async (backup, chunkBytes) => {
      const entries = await entriesOf(fileOf(backup), chunkBytes)
      assert.deepEqual(entries[0], { kind: 'header', header: WHOLE_HEADER })
      assert.deepEqual(
        entries.slice(1, -1).map((entry) => entry.kind === 'group' && entry.group),
        backup,
      )
      assert.deepEqual(entries.at(-1), {
        kind: 'end',
        end: { count: backup.length, memberCount: 0, finishedAt: FINISHED_AT },
      })
    }),
  )
})

test('every line is JSON for any other program, and a group with a further member', () => {
  const backup = [aGroup({ groupId: 'a', labels: { '"},': '\\' } }), aGroup({ groupId: 'é🦊' })]
  const lines = fileOf(backup)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.slice(1, -1).map(({ crc32, ...rest }) => rest),
    backup,
  )
  assert.deepEqual(Object.keys(lines.at(-1)), ['count', 'members', 'finishedAt', 'sha256'])
})

test('the checksum is that of zlib', () => {
  assert.equal(checksumOf('123456789'), 'cbf43926')
  assert.equal(checksumOf(''), '00000000')
})

const SMALL = fileOf([
  aGroup({ groupId: 'a', description: 'd', labels: { k: 'v' } }),
  aGroup({ groupId: 'é' }),
])

test('a file that ends at any earlier byte is refused', async () => {
  for (let length = 0; length < SMALL.length; length += 1) {
    const reason = await refusalOf(SMALL.subarray(0, length))
    assert.match(reason, length === 0 ? /^it is empty$/ : /cut off|does not begin/, `${length}: ${reason}`)
  }
})

test('a file with any byte changed is refused, whichever bits', async () => {
  for (let index = 0; index < SMALL.length; index += 1) {
    for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
      const changed = Buffer.from(SMALL)
      changed[index]! ^= mask
      await refusalOf(changed)
    }
  }
})

test('a file with any line missing, repeated or moved is refused', async () => {
  const lines = SMALL.toString().trimEnd().split('\n')
  const join = (parts: readonly string[]) => Buffer.from(`${parts.join('\n')}\n`)
  for (let index = 0; index < lines.length; index += 1) {
    await refusalOf(join(lines.toSpliced(index, 1)))
    await refusalOf(join(lines.toSpliced(index, 0, lines[index]!)))
    for (let other = 0; other < index; other += 1) {
      const swapped = lines.with(index, lines[other]!).with(other, lines[index]!)
      await refusalOf(join(swapped))
    }
  }
})

test('anything after the end is refused', async () => {
  for (const more of ['\n', ' ', 'x', SMALL]) {
    assert.match(await refusalOf(Buffer.concat([SMALL, Buffer.from(more)])), /goes on after its end/)
  }
})

test('a file that is not a backup is refused with that reason, however long its lines are', async () => {
  const refusal = 'it does not begin like a backup of cohort'
  for (const text of ['x', '\n', '{}\n', 'SQLite format 3\0', 'x'.repeat(100_000)]) {
    assert.equal(await refusalOf(Buffer.from(text)), refusal)
  }
  assert.equal(await refusalOf(Buffer.alloc(10_000_000, 'x')), refusal)
})

test('a line without an end is named by its number', async () => {
  const firstLine = SMALL.subarray(0, SMALL.indexOf('\n') + 1)
  const long = Buffer.concat([firstLine, Buffer.alloc(10_000_000, 'x')])
  assert.match(await refusalOf(long), /^line 2 is damaged: it is longer than any line/)
})

test('a compressed backup is refused with that reason', async () => {
  assert.match(await refusalOf(gzipSync(SMALL)), /it is compressed: unpack it first/)
})

test('with correct checksums, a wrong count, order or group, and another format, are still refused', async () => {
  const header = WHOLE_HEADER
  const [a, b] = [aGroup({ groupId: 'a' }), aGroup({ groupId: 'b' })]
  assert.deepEqual(sealed([header, a, b]), fileOf([a, b]))
  const cases: [Buffer, RegExp][] = [
    [sealed([header, a, b], 3), /it has 2 groups, but its end says 3/],
    [sealed([header, b, a]), /line 3 is damaged: its group is not in the order/],
    [sealed([header, a, a]), /line 3 is damaged: its group is not in the order/],
    [sealed([header, aGroup({ version: 0 })]), /line 2 is damaged: version must be/],
    [sealed([header, aGroup({ groupId: 'x'.repeat(257) })]), /groupId must have at most 256 characters/],
    [sealed([header, { ...a, more: 1 }]), /more is not a known field/],
    [sealed([header, { groupId: 'a' }]), /is required/],
    [sealed([{ ...header, formatVersion: 3, writtenBy: 'cohort 9' }]), /format version 3.*\(cohort 9\)/],
    [sealed([{ ...header, format: 'other' }]), /does not begin like a backup/],
    [sealed([a]), /does not begin like a backup/],
  ]
  for (const [file, pattern] of cases) assert.match(await refusalOf(file), pattern)
})

test('text is ordered as its UTF-8, not as JavaScript compares it', async () => {
  // U+FF5E is before U+1F98A, though its UTF-16 unit is greater than the first one of the other.
  const backup = [aGroup({ groupId: '\uff5e' }), aGroup({ groupId: '🦊' })]
  assert.equal((await entriesOf(fileOf(backup))).length, 4)
})

const aMember = (groupId: string, memberId: string, parts = {}) => ({
  groupId,
  memberId,
  version: 2,
  incarnation: 'm-1',
  addedAt: TIMES.createdAt,
  updatedAt: TIMES.updatedAt,
  ...parts,
})

test('the members of a group come back after it, in the order of their ids', async () => {
  const [a, b] = [aGroup({ groupId: 'a' }), aGroup({ groupId: 'b' })]
  const members = [aMember('a', '\uff5e', { role: 'owner' }), aMember('a', '🦊')]
  const writer = new BackupWriter()
  const file = Buffer.concat([
    writer.header(HEADER),
    writer.group(a),
    ...members.map((member) => writer.member(member)),
    writer.group(b),
    writer.end(FINISHED_AT),
  ])
  assert.deepEqual(file, sealed([WHOLE_HEADER, a, ...members, b], 2, '"members":2,'))
  assert.deepEqual((await entriesOf(file)).slice(1), [
    { kind: 'group', group: a },
    ...members.map((member) => ({ kind: 'member', member })),
    { kind: 'group', group: b },
    { kind: 'end', end: { count: 2, memberCount: 2, finishedAt: FINISHED_AT } },
  ])
})

test('members of another group, out of order, without a group, or of another number are refused', async () => {
  const [a, b] = [aGroup({ groupId: 'a' }), aGroup({ groupId: 'b' })]
  const [m, n] = [aMember('a', 'm'), aMember('a', 'n')]
  const cases: [Buffer, RegExp][] = [
    [sealed([WHOLE_HEADER, a, n, m], 1, '"members":2,'), /line 4 is damaged: its member is not in the order/],
    [sealed([WHOLE_HEADER, a, m, m], 1, '"members":2,'), /line 4 is damaged: its member is not in the order/],
    [sealed([WHOLE_HEADER, a, b, m], 2, '"members":1,'), /line 4 is damaged: its member is not of the group/],
    [sealed([WHOLE_HEADER, m, a], 1, '"members":1,'), /line 2 is damaged: its member is not of the group/],
    [sealed([WHOLE_HEADER, a, m], 1, '"members":2,'), /it has 1 members, but its end says 2/],
    [sealed([WHOLE_HEADER, a, m], 1, ''), /it has 1 members, but its end says nothing of them/],
    [
      sealed([WHOLE_HEADER, a, { ...m, version: 0 }], 1, '"members":1,'),
      /line 3 is damaged: version must be/,
    ],
  ]
  for (const [file, pattern] of cases) assert.match(await refusalOf(file), pattern)
})

test('a file of format 1 is still read, and has no members', async () => {
  const header = { ...WHOLE_HEADER, formatVersion: 1 }
  const [a, b] = [aGroup({ groupId: 'a' }), aGroup({ groupId: 'b' })]
  const entries = await entriesOf(sealed([header, a, b], 2, ''))
  assert.deepEqual(entries.slice(1), [
    { kind: 'group', group: a },
    { kind: 'group', group: b },
    { kind: 'end', end: { count: 2, memberCount: 0, finishedAt: FINISHED_AT } },
  ])
  assert.match(await refusalOf(sealed([header, a, aMember('a', 'm')], 2, '')), /line 3 is damaged/)
})
