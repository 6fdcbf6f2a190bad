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

test('a connection is replaced without ending what is under way on the old one', async () => {
  let made = 0
  const open = new Set<number>()
  const answers: (() => void)[] = []
  const directory = new NodeDirectory(() => {
    made += 1
    const number = made
    open.add(number)
    return {
      open: ({ onClose }: StreamHandlers) => ({
        send: () => undefined,
        close: () => onClose(`closed ${number}`),
      }),
      describe: () => new Promise((resolve) => answers.push(() => resolve(number as never))),
      digest: () => assert.fail('not used'),
      changes: () => assert.fail('not used'),
      async *scan() {
        yield []
        yield []
      },
      close: () => open.delete(number),
    }
  })
  directory.renew('a:1')
  assert.equal(made, 0, 'there was none')
  const before = directory.transportTo('a:1')
  const stream = before.open(HANDLERS)
  const description = before.describe(1_000)
  const scan = before.scan({ start: '', end: '', omitValues: false })[Symbol.asyncIterator]()
  await scan.next()
  directory.renew('a:1')
  assert.notEqual(directory.transportTo('a:1'), before)
  assert.deepEqual(directory.addresses, ['a:1'])
  assert.deepEqual([...open], [1, 2])
  stream.close()
  answers[0]!()
  assert.equal(await description, 1 as never)
  assert.deepEqual([...open], [1, 2], 'the scan goes on')
  await scan.return?.(undefined)
  assert.deepEqual([...open], [2])
  directory.renew('a:1')
  assert.deepEqual([...open], [3], 'an unused connection is closed at once')
  const held = directory.transportTo('a:1').open(HANDLERS)
  directory.renew('a:1')
  assert.deepEqual([...open], [3, 4])
  directory.close()
  assert.deepEqual([...open], [])
  held.close()
})

test('what is asked through a directory reaches the node with its limits, and the signal that ends it', async () => {
  const asked: unknown[] = []
  const note =
    (what: string) =>
    async (...given: unknown[]) =>
      void asked.push([what, ...given])
  const transport = {
    describe: note('describe'),
    digest: note('digest'),
    changes: note('changes'),
    async *scan(...given: unknown[]) {
      asked.push(['scan', ...given])
      yield []
    },
    close: () => undefined,
  } as unknown as NodeTransport
  const directory = new NodeDirectory(() => transport)
  const { signal } = new AbortController()
  const range = { start: 'a', end: 'b', omitValues: true }
  await directory.describe('a:1')
  await directory.describe('a:1', 77)
  await directory.describeNewcomer('a:1')
  const shared = directory.transportTo('a:1')
  await shared.digest('question' as never, 78)
  await shared.changes('question' as never, 79)
  for await (const page of shared.scan(range, signal)) assert.deepEqual(page, [])
  assert.deepEqual(asked, [
    // The first is not patient: a node that could not be reached a moment ago is not waited for.
    ['describe', 1_000, undefined],
    ['describe', 77, undefined],
    ['describe', 3_000, true],
    ['digest', 'question', 78],
    ['changes', 'question', 79],
    ['scan', range, signal],
  ])
})
