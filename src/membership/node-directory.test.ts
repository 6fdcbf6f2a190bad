import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeTransport, StreamHandlers } from '../rpc/transport.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Farewells } from './farewells.ts'
import { NodeDirectory } from './node-directory.ts'

/** A directory of nodes that only take streams, and the addresses that it keeps a transport to. */
function aDirectory() {
  const open = new Set<string>()
  const connect = (address: string): NodeTransport => {
    assert.ok(!open.has(address), 'there is one transport to an address')
    open.add(address)
    return {
      open: ({ onClose }: StreamHandlers) => ({ send: () => undefined, close: () => onClose('closed') }),
      describe: () => assert.fail('not used'),
      digest: () => assert.fail('not used'),
      changes: () => assert.fail('not used'),
      scan: () => assert.fail('not used'),
      close: () => open.delete(address),
    }
  }
  return { directory: new NodeDirectory(connect), open }
}

const HANDLERS: StreamHandlers = { onAnswers: () => undefined, onClose: () => undefined }

test('however many addresses a directory is told, it keeps few transports: those in use, and the latest', () => {
  const { directory, open } = aDirectory()
  const streams = ['in:1', 'in:2'].map((address) => directory.transportTo(address).open(HANDLERS))
  for (let port = 1; port <= 1_000; port += 1) directory.transportTo(`h:${port}`)
  assert.equal(open.size, 64)
  for (const address of ['in:1', 'in:2', 'h:1000', 'h:939']) assert.ok(open.has(address), address)
  assert.ok(!open.has('h:938'))
  const again = directory.transportTo('h:939')
  assert.equal(directory.transportTo('h:939'), again)
  for (const stream of streams) stream.close()
  for (let port = 1_001; port <= 1_063; port += 1) directory.transportTo(`h:${port}`)
  assert.deepEqual([open.has('in:1'), open.has('in:2'), open.has('h:939')], [false, false, true])
  directory.close()
  assert.equal(open.size, 0)
})

test('a directory, and the farewells, remember the last addresses of a bounded number of nodes', () => {
  const { directory } = aDirectory()
  const farewells = new Farewells(directory, new ManualClock())
  for (let node = 0; node < 1_000; node += 1) {
    directory.noteAddress(`n${node}`, `new:${node}`)
    farewells.note(`new:${node}`)
  }
  const placeOf = (node: number) => directory.addressOf({ nodeId: `n${node}`, address: 'old:1' })
  assert.deepEqual([placeOf(999), placeOf(936), placeOf(935)], ['new:999', 'new:936', 'old:1'])
  assert.deepEqual([farewells.addresses.size, farewells.addresses.has('new:999')], [16, true])
  farewells.note('new:984')
  farewells.note('new:1000')
  assert.ok(farewells.addresses.has('new:984'), 'what is noted again is not the oldest')
})
