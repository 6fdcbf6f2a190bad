import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bound, listenEverywhere } from './listen-everywhere.ts'

/** What a program does with its sockets: ports in use, and what was bound and released, in order. */
function sockets(inUse: readonly string[] = []) {
  const log: string[] = []
  let freePort = 50_000
  const bind = async (address: string, port: number): Promise<Bound> => {
    const chosen = port === 0 ? ++freePort : port
    if (inUse.includes(`${address} ${chosen}`)) {
      throw Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })
    }
    log.push(`bind ${address} ${chosen}`)
    return { port: chosen, release: () => void log.push(`release ${address} ${chosen}`) }
  }
  return { log, bind }
}

const resolveTwo = async () => ['127.0.0.1', '127.0.0.2']

test('every address of a name is bound, once, with the same port', async () => {
  const { log, bind } = sockets()
  const resolve = async () => ['127.0.0.1', '127.0.0.2', '127.0.0.1']
  const bound = await listenEverywhere({ host: 'two.test', port: 0 }, bind, resolve)
  assert.deepEqual(log, ['bind 127.0.0.1 50001', 'bind 127.0.0.2 50001'])
  assert.deepEqual(
    bound.map(({ port }) => port),
    [50_001, 50_001],
  )
})

test('an IP address is not looked up', async () => {
  const { log, bind } = sockets()
  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    await listenEverywhere({ host, port: 80 }, bind, () => assert.fail('it was looked up'))
  }
  assert.deepEqual(log, ['bind 127.0.0.1 80', 'bind ::1 80', 'bind 0.0.0.0 80', 'bind :: 80'])
})

test('one address in use: none is kept, and the sentence names it and the name', async () => {
  const { log, bind } = sockets(['127.0.0.2 80'])
  await assert.rejects(listenEverywhere({ host: 'two.test', port: 80 }, bind, resolveTwo), {
    name: 'FaultError',
    code: 'address_in_use',
    message: '127.0.0.2:80 (two.test) is in use: stop what listens there, or choose another port',
  })
  assert.deepEqual(log, ['bind 127.0.0.1 80', 'release 127.0.0.1 80'])
})

test('port 0 is tried anew when another address has the chosen port in use, but not for ever', async () => {
  const once = sockets(['127.0.0.2 50001'])
  const bound = await listenEverywhere({ host: 'two.test', port: 0 }, once.bind, resolveTwo)
  assert.equal(bound[0]!.port, 50_002)
  const busy = sockets(Array.from({ length: 100 }, (_, index) => `127.0.0.2 ${50_001 + index}`))
  await assert.rejects(listenEverywhere({ host: 'two.test', port: 0 }, busy.bind, resolveTwo), {
    code: 'address_in_use',
  })
  assert.equal(busy.log.filter((line) => line.startsWith('bind')).length, 20)
})

test('a name without an address: a sentence that says so', async () => {
  const { bind } = sockets()
  const resolve = () => Promise.reject(new Error('getaddrinfo ENOTFOUND none.test'))
  await assert.rejects(listenEverywhere({ host: 'none.test', port: 80 }, bind, resolve), {
    code: 'address_unusable',
    message:
      'cannot listen on none.test:80: the name none.test has no IP address (getaddrinfo ENOTFOUND none.test)',
  })
})

test('the name localhost is looked up by the system when nobody says otherwise', async () => {
  const { log, bind } = sockets()
  await listenEverywhere({ host: 'localhost', port: 80 }, bind)
  assert.match(log[0] ?? '', /^bind (127\.0\.0\.1|::1) 80$/)
})
