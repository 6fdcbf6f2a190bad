/** How long a connector that failed is left alone, and what a client that is closed closes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint } from '../../client/src/endpoint.ts'
import { Endpoints } from '../../client/src/endpoints.ts'

const anEndpoint = () =>
  new Endpoint({ url: 'http://127.0.0.1:1', key: undefined, tls: undefined, connections: 1 })

test('the rest of a connector doubles with each failure, up to two seconds, and begins anew after a success', (t) => {
  const random = t.mock.method(Math, 'random', () => 1)
  const endpoint = anEndpoint()
  const rests = (count: number) =>
    Array.from({ length: count }, () => {
      endpoint.rest(0, undefined)
      return endpoint.restsUntilMs
    })
  assert.deepEqual(rests(8), [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000])
  endpoint.succeed()
  assert.equal(endpoint.restsUntilMs, Number.NEGATIVE_INFINITY)
  random.mock.mockImplementation(() => 0)
  assert.deepEqual(rests(2), [50, 100], 'half of it at least')
})

test('a rest that a connector asks for is as long as it asks for, and is over after a success', () => {
  const endpoint = anEndpoint()
  endpoint.rest(1_000, 7_000)
  assert.deepEqual([endpoint.restsUntilMs, endpoint.isRestOrdered], [8_000, true])
  endpoint.succeed()
  assert.equal(endpoint.isRestOrdered, false)
})

test('a client that is closed closes the connections to every connector, and says so to what waits', async (t) => {
  const all = [anEndpoint(), anEndpoint()]
  const closes = all.map((endpoint) => t.mock.method(endpoint, 'close'))
  const endpoints = new Endpoints(all, () => 0)
  await endpoints.close()
  assert.ok(endpoints.closing.aborted)
  assert.deepEqual(
    closes.map(({ mock }) => mock.callCount()),
    [1, 1],
  )
})
