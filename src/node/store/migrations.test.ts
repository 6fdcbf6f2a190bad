import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { aDatabasePath, aWrittenRecord, scanAll } from '../../testing/store-fixture.ts'
import { digestOf, leafOf } from './digest-hash.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import { SqliteStore } from './sqlite-store.ts'

/** As the first version of the program made it. */
const FIRST_SCHEMA = `
  CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    node_id TEXT NOT NULL,
    record_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE membership (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cluster_id TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    members TEXT NOT NULL -- JSON: [{"nodeId", "address"}]
  ) STRICT;

  CREATE TABLE record (
    key TEXT NOT NULL PRIMARY KEY, -- compared as UTF-8 bytes
    promised_round INTEGER NOT NULL,
    promised_proposer INTEGER NOT NULL,
    accepted_round INTEGER, -- NULL: nothing was accepted
    accepted_proposer INTEGER,
    generation INTEGER NOT NULL,
    lineage TEXT NOT NULL, -- write ids as proposer.sequence, newest last, separated by a space
    value BLOB, -- NULL: a tombstone, or absent (generation 0)
    chosen INTEGER NOT NULL CHECK (chosen IN (0, 1))
  ) STRICT;

  CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
    UPDATE node SET record_count = record_count + 1;
  END;
  CREATE TRIGGER record_removed AFTER DELETE ON record BEGIN
    UPDATE node SET record_count = record_count - 1;
  END;
  PRAGMA user_version = 1;
`

test('a database of the first schema is brought to this one, with nothing lost', (t) => {
  const path = aDatabasePath(t)
  const old = new DatabaseSync(path)
  old.exec(FIRST_SCHEMA)
  const insert = old.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  insert.run('group/live', 2, 0, 1, 0, 1, '7.1', Buffer.from('v'), 1)
  insert.run('group/dead', 3, 5, 2, 5, 2, '7.1 7.2', null, 0)
  insert.run('group/promised', 4, 5, null, null, 0, '', null, 0)
  old.close()
  const store = new SqliteStore(path)
  const live = { ...aWrittenRecord(1, new Uint8Array(Buffer.from('v'))), chosen: true }
  assert.deepEqual(store.load('group/live'), live)
  assert.deepEqual(store.inventory.counts, { recordCount: 3, tombstoneCount: 1, stubCount: 0 })
  const leaf = leafOf('group/live')
  assert.equal(store.inventory.digests.leavesOf(leaf >> 8)[leaf & 255], digestOf('group/live', live))
  const removable = scanAll(store, 10, { removableOnly: true })
  assert.deepEqual(
    removable.map(({ key, record }) => [key, record.accepted, record.state.lineage.length]),
    [
      ['group/dead', { round: 2, proposerId: 5 }, 2],
      ['group/promised', undefined, 0],
    ],
  )
  store.close()
})

/**
 * Opens a store in a process of its own, whose files cannot grow beyond so many KiB, and gives the fault's
 * code.
 */
function openLimited(path: string, fileKib: number): string {
  const module = fileURLToPath(new URL('./sqlite-store.ts', import.meta.url))
  const program = `
    const { SqliteStore } = await import(process.argv[1])
    try { new SqliteStore(process.argv[2]).close(); console.log('opened') } catch (error) { console.log(error.code) }
  `
  const args = [process.execPath, '--input-type=module', '--eval', program, module, path]
  const { stdout } = spawnSync('bash', ['-c', `ulimit -f ${fileKib}; exec "$@"`, 'bash', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return stdout.trim()
}

test('an upgrade that runs out of space leaves the database as it was, and works when there is space', (t) => {
  const path = aDatabasePath(t)
  const old = new DatabaseSync(path)
  old.exec(FIRST_SCHEMA)
  const insert = old.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  old.exec('BEGIN')
  const count = 4_000
  for (let i = 0; i < count; i += 1)
    insert.run(`group/${i}`, 2, 0, 1, 0, 1, `7.${i + 1}`, Buffer.alloc(200, 'v'), 1)
  old.exec('COMMIT')
  old.close()
  const sizeKib = Math.ceil(statSync(path).size / 1_024)
  const codes = new Set<string>()
  // From a limit at which not even the log can be created to one at which everything fits.
  for (const share of [0.1, 0.9, 1.2, 1.6, 4]) codes.add(openLimited(path, Math.ceil(share * sizeKib)))
  assert.deepEqual([...codes].sort(), ['opened', 'store_failed'])
  const store = new SqliteStore(path)
  t.after(() => store.close())
  assert.equal(store.inventory.counts.recordCount, count)
  for (const i of [0, count - 1]) assert.equal(store.load(`group/${i}`).state.writeId.sequence, i + 1)
})

/** Upgrades a database in a process of its own, which kills itself after so many steps of the copy. */
function upgradeAndDie(path: string, steps: number): NodeJS.Signals | null {
  const module = fileURLToPath(new URL('./sqlite-store.ts', import.meta.url))
  const program = `
    const [module, path, steps] = process.argv.slice(1)
    const { SqliteStore } = await import(module)
    let left = Number(steps)
    const onUpgrade = () => { if (--left === 0) process.kill(process.pid, 'SIGKILL') }
    new SqliteStore(path, { onUpgrade }).close()
  `
  const args = ['--input-type=module', '--eval', program, module, path, String(steps)]
  return spawnSync(process.execPath, args, { timeout: 60_000 }).signal
}

test('an upgrade that is killed after any step goes on where it was, with nothing lost and nothing twice', (t) => {
  const path = aDatabasePath(t)
  const old = new DatabaseSync(path)
  old.exec(FIRST_SCHEMA)
  const insert = old.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  old.exec('BEGIN')
  // Three steps of 5,000 records, in another order than that of their keys.
  const count = 12_000
  const keyOf = (i: number) => `group/${(i * 7_919) % 12_007}`
  for (let i = 0; i < count; i += 1)
    insert.run(keyOf(i), 2, 0, 1, 0, 1, `7.${i + 1}`, i % 10 === 0 ? null : Buffer.from(`value ${i}`), 1)
  old.exec('COMMIT')
  old.close()
  for (const steps of [1, 2]) assert.equal(upgradeAndDie(path, steps), 'SIGKILL')
  const progress: number[] = []
  const store = new SqliteStore(path, { onUpgrade: (done) => progress.push(done) })
  t.after(() => store.close())
  assert.deepEqual(progress, [], 'all records had been copied')
  assert.equal(store.inventory.counts.recordCount, count)
  assert.equal(store.inventory.counts.tombstoneCount, count / 10)
  for (let i = 0; i < count; i += 1) {
    const { state, chosen } = store.load(keyOf(i))
    assert.equal(state.writeId.sequence, i + 1)
    assert.equal(state.value && Buffer.from(state.value).toString(), i % 10 === 0 ? undefined : `value ${i}`)
    assert.equal(chosen, true)
  }
  assert.equal(scanAll(store, 1_000, { removableOnly: true }).length, count / 10)
})

test('a database of a newer program is refused, and left as it is', (t) => {
  const path = aDatabasePath(t)
  new SqliteStore(path).close()
  const newer = new DatabaseSync(path)
  newer.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)
  newer.close()
  const expected = {
    code: 'schema_too_new',
    message: new RegExp(
      `schema version ${SCHEMA_VERSION + 1}, and this program knows up to ${SCHEMA_VERSION}:`,
    ),
  }
  assert.throws(() => new SqliteStore(path), expected)
  assert.throws(() => new SqliteStore(path), expected)
})
