/**
 * A process that dies in the middle of a move of keys into the index loses nothing that it has acknowledged.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { aDatabasePath, aWrittenRecord, scanAll } from '../../testing/store-fixture.ts'
import { SqliteStore } from './sqlite-store.ts'

/** Inserts keys for ever, and says after each commit how many there are and how many wait. */
const WRITER = `
  const [store, fixture, path, first] = process.argv.slice(1)
  const { SqliteStore } = await import(store)
  const { aWrittenRecord } = await import(fixture)
  const opened = new SqliteStore(path, { limits: { sweepAt: 100, keysPerStep: 3 } })
  for (let count = Number(first); ; count += 1) {
    const key = 'group/' + (count * 7919) % 100003
    opened.transaction(() => opened.insert(key, aWrittenRecord(count + 1, Buffer.from('value ' + count))))
    process.stdout.write(count + 1 + ' ' + opened.waitingKeys + '\\n')
  }
`

/**
 * Runs the writer until a sweep is under way, kills it, and gives the last count that it has acknowledged.
 */
async function writeAndKill(t: TestContext, path: string, first: number): Promise<number> {
  const modules = ['./sqlite-store.ts', '../../testing/store-fixture.ts']
  const files = modules.map((name) => fileURLToPath(new URL(name, import.meta.url)))
  const args = ['--input-type=module', '--eval', WRITER, ...files, path, String(first)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let [acknowledged, most] = [first, 0]
  for await (const line of createInterface({ input: child.stdout })) {
    const [count, waiting] = line.split(' ').map(Number) as [number, number]
    acknowledged = count
    most = Math.max(most, waiting)
    // A sweep moves more keys than come meanwhile: it is under way when fewer wait than before.
    if (most > 75 && waiting < most - 30) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL')
  return acknowledged
}

test('whenever the process is killed while keys move into the index, every acknowledged record is there', async (t) => {
  const path = aDatabasePath(t)
  let count = 0
  for (let kill = 0; kill < 4; kill += 1) {
    const acknowledged = await writeAndKill(t, path, count)
    assert.ok(acknowledged > count)
    const store = new SqliteStore(path)
    const waiting = store.waitingKeys
    assert.ok(waiting > 0 && waiting < acknowledged, 'some keys have moved, and others have not')
    // The last commit may not have been acknowledged.
    const held = store.inventory.counts.recordCount
    assert.ok(held === acknowledged || held === acknowledged + 1, `${held} of ${acknowledged}`)
    count = held
    for (let index = 0; index < count; index += 1) {
      const key = `group/${(index * 7919) % 100003}`
      const expected = aWrittenRecord(index + 1, new Uint8Array(Buffer.from(`value ${index}`)))
      assert.deepEqual(store.load(key), expected)
      assert.equal(store.load(`${key}x`), EMPTY_RECORD)
    }
    const keys = scanAll(store, 100, { omitValues: true }).map(({ key }) => key)
    assert.equal(new Set(keys).size, count)
    assert.deepEqual(keys, [...keys].sort())
    store.close()
  }
})
