import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Metrics } from '../../../metrics/metrics.ts'
import { WatchStream } from './watch-stream.ts'
import { Watches } from './watches.ts'

/** The largest text that a client may leave unread. */
const MEGABYTE = 1024 * 1024

function aStream(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const said: string[] = []
  const stream = new WatchStream({
    onBegin: () => said.push('begins'),
    onRefuse: () => said.push('refused'),
    onTooSlow: () => said.push('too slow'),
  })
  t.after(() => stream.destroy())
  const hasClosed = () => stream.closed || stream.destroyed
  return { stream, said, hasClosed, pass: (ms: number) => t.mock.timers.tick(ms) }
}

test('a client may leave a megabyte unread, and not a byte more', async (t) => {
  const { stream, said } = aStream(t)
  stream.send(Buffer.alloc(MEGABYTE))
  assert.deepEqual(said, [])
  stream.send('x')
  assert.deepEqual(said, ['too slow'])
  stream.send('y')
  assert.deepEqual(said, ['too slow'], 'once')
  let text = ''
  for await (const bytes of stream) text = `${text}${bytes}`.slice(-200)
  assert.ok(text.endsWith('event: reset\nid:\ndata: {"reason":"client_too_slow"}\n\n'), text)
})

test('a list waits for a client that reads, and ends the watch of one that has not read for ten seconds', async (t) => {
  const { stream, said, pass, hasClosed } = aStream(t)
  stream.send(Buffer.alloc(64 * 1024))
  let isReady = false
  void stream.ready().then(() => {
    isReady = true
  })
  await turn()
  pass(9_999)
  assert.deepEqual([isReady, said], [false, []])
  stream.read()
  await turn()
  assert.equal(isReady, true)
  pass(60_000)
  assert.deepEqual(said, [], 'it has read in time')

  stream.send(Buffer.alloc(64 * 1024))
  void stream.ready()
  pass(10_000)
  assert.deepEqual(said, ['too slow'])
  pass(9_999)
  assert.equal(hasClosed(), false)
  pass(1)
  assert.equal(hasClosed(), true, 'it has not read the end either')
})

test('a watch that is ended is closed ten seconds later if its client does not read, and takes nothing more', async (t) => {
  const { stream, pass, hasClosed } = aStream(t)
  stream.send('a')
  stream.end()
  stream.send('b')
  stream.end()
  pass(9_999)
  assert.equal(hasClosed(), false)
  pass(1)
  assert.equal(hasClosed(), true)
})

test('a stream that is closed lets nobody wait', async (t) => {
  const { stream, said, pass } = aStream(t)
  stream.send(Buffer.alloc(64 * 1024))
  const waiting = stream.ready()
  stream.destroy()
  await waiting
  await stream.ready()
  pass(60_000)
  assert.deepEqual(said, [])
})

/** Watches whose engine has no changes. */
function someWatches() {
  let open = 0
  const follow = () => {
    open += 1
    const close = () => {
      open -= 1
    }
    return { isCovered: true, place: undefined, since: async () => true, close }
  }
  const watches = new Watches({ follow }, { scan: () => assert.fail('nothing is listed') })
  return { watches, followed: () => open }
}

test('a watch ends after a quarter of an hour, and its watcher is closed once', async (t) => {
  const { stream, pass } = aStream(t)
  const { watches } = someWatches()
  let closed = 0
  const close = () => {
    closed += 1
  }
  watches.open(stream, { close } as never, () => {})
  stream.resume()
  pass(15 * 60_000 - 1)
  await turn()
  assert.equal(stream.closed, false)
  pass(1)
  await turn()
  await turn()
  assert.deepEqual([stream.closed, closed], [true, 1])
  const metrics = new Metrics()
  watches.addMetrics(metrics)
  assert.match(await metrics.render(), /^cohort_watches 0$/m)
})

test('a watch that begins while the connector stops is ended, and the engine is followed no more', async (t) => {
  const { stream } = aStream(t)
  const { watches, followed } = someWatches()
  const listener = { filter: { text: '', prefix: '', isWanted: undefined } }
  watches.hub.add(listener as never)
  const first = new WatchStream({ onBegin: () => {}, onRefuse: () => {}, onTooSlow: () => {} })
  watches.open(first, { close: () => watches.hub.remove(listener as never) } as never, () => {})
  watches.close()
  watches.open(stream, { close: () => {} } as never, () => {})
  assert.equal(followed(), 1)
  first.resume()
  stream.resume()
  await turn()
  await turn()
  assert.deepEqual([first.closed, stream.closed, followed()], [true, true, 0])
})
