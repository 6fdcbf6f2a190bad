/**
 * Which folder of `src` may import which: the rooms, from the lowest up (docs/ARCHITECTURE.md shows them).
 * The client library is a room too. It is published by itself, so it imports nothing of `src`.
 */
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = new URL('..', import.meta.url)

/**
 * Each room, with the other rooms that it may import. `everything`: all rooms before it in this table.
 */
const ROOMS: ReadonlyMap<string, readonly string[] | 'everything'> = new Map(
  Object.entries({
    'src/process': [],
    'src/register': [],
    'src/group': [],
    'src/access': ['src/group', 'src/process'],
    'src/api': ['src/group', 'src/access'],
    'src/rpc': ['src/register'],
    'src/metrics': ['src/process'],
    'src/tls': ['src/metrics', 'src/process'],
    'src/linearizability': ['src/process'],
    'src/config': ['src/access', 'src/tls', 'src/process', 'src/register'],
    'src/node': ['src/register', 'src/rpc', 'src/metrics', 'src/tls', 'src/process', 'src/config'],
    'src/replication': ['src/register', 'src/rpc', 'src/metrics', 'src/process'],
    'src/scan': ['src/replication', 'src/register', 'src/rpc', 'src/process'],
    'src/changes': ['src/register', 'src/rpc', 'src/metrics'],
    'src/membership': ['src/scan', 'src/replication', 'src/register', 'src/rpc', 'src/process'],
    'src/upkeep': ['src/scan', 'src/replication', 'src/register', 'src/rpc', 'src/process'],
    // The contract between HTTP and the engines: only `engine.ts`.
    'src/engines': ['src/group', 'src/access', 'src/api', 'src/metrics'],
    'src/engines/cohort': [
      'src/engines',
      'src/changes',
      'src/membership',
      'src/upkeep',
      'src/scan',
      'src/replication',
      'src/register',
      'src/rpc',
      'src/group',
      'src/access',
      'src/api',
      'src/metrics',
      'src/process',
    ],
    'src/engines/postgres': [
      'src/engines',
      'src/config',
      // The order of keys, and what is remembered of changes, are the same in all engines.
      'src/rpc',
      'src/changes',
      'src/group',
      'src/access',
      'src/api',
      'src/metrics',
      'src/process',
    ],
    // The tests that every engine passes. They do not ship.
    'src/engines/contract': ['src/engines', 'src/linearizability', 'src/group', 'src/access', 'src/process'],
    'src/http': [
      'src/engines',
      'src/group',
      'src/access',
      'src/api',
      'src/metrics',
      'src/tls',
      'src/process',
    ],
    'src/connector': 'everything',
    client: [],
    'src/cli': 'everything',
    'src/sim': 'everything',
    'src/testing': 'everything',
  }),
)

/** Rooms that only these rooms themselves may import: processes do not. */
const TOPMOST = ['client', 'src/cli', 'src/sim', 'src/testing']

/** The room of a file: the longest folder of the table that it is in. */
function roomOf(file: string): string {
  const rooms = [...ROOMS.keys()].filter((room) => file.startsWith(`${room}/`))
  const room = rooms.sort((a, b) => b.length - a.length)[0]
  assert.ok(room !== undefined, `${file} is in no room: add its folder to the table of test/rooms.test.ts`)
  return room
}

/** Relative imports of a file, as paths from the root. */
async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(new URL(file, root), 'utf8')
  const targets = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g)].map(([, target]) => target!)
  return targets.map((target) => normalize(join(dirname(file), target)))
}

/** The order of the table, which is the order of the rooms from the lowest up. */
const ORDER = [...ROOMS.keys()]

for (const [room, allowed] of ROOMS) {
  test(`${room} imports only rooms below it`, async () => {
    const files = await Array.fromAsync(glob(`${room}/**/*.ts`, { cwd: root, exclude: ['**/*.test.ts'] }))
    const own = files.filter((file) => roomOf(file) === room).sort()
    assert.notEqual(own.length, 0, `${room} has no files: take it out of the table`)
    for (const file of own) {
      for (const target of await importsOf(file)) {
        const imported = roomOf(target)
        if (imported === room) continue
        const isAllowed =
          allowed === 'everything'
            ? !TOPMOST.includes(imported) || TOPMOST.includes(room)
            : allowed.includes(imported)
        assert.ok(isAllowed, `${file} imports ${target}: ${room} may import ${nameAll(allowed)}`)
      }
    }
  })
}

test('every file of src is in a room', async () => {
  const files = await Array.fromAsync(glob('src/**/*.ts', { cwd: root }))
  for (const file of files) roomOf(file)
})

test('a room may import only rooms that stand before it in the table', () => {
  for (const [room, allowed] of ROOMS) {
    if (allowed === 'everything') continue
    for (const below of allowed) {
      assert.ok(
        ORDER.indexOf(below) < ORDER.indexOf(room),
        `${room} may import ${below}, which stands after it`,
      )
    }
  }
})

function nameAll(allowed: readonly string[] | 'everything'): string {
  if (allowed === 'everything') return 'everything but what only tests and people use'
  return allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')
}
