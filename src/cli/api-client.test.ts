import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import { ApiClient } from './api-client.ts'

/** An HTTP server and a client of it; both are closed afterwards. */
async function withServer(
  listener: RequestListener,
  run: (client: ApiClient, url: string) => Promise<void>,
): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new ApiClient({ url })
  try {
    await run(client, url)
  } finally {
    await client.close()
    server.closeAllConnections()
    server.close()
  }
}

test('a problem comes back with its code, its outcome and its fields', async () => {
  const text = JSON.stringify({
    status: 400,
    code: 'invalid_body',
    title: 'Invalid body',
    detail: 'no',
    outcome: 'not_applied',
    errors: [{ field: 'groupId', message: 'too long' }, 'junk', { field: 1 }],
  })
  await withServer(
    (_, response) => response.writeHead(400).end(text),
    async (client) => {
      assert.deepEqual(await client.create({ groupId: 'a' }), {
        kind: 'problem',
        text,
        problem: {
          status: 400,
          code: 'invalid_body',
          title: 'Invalid body',
          detail: 'no',
          outcome: 'not_applied',
          errors: [{ field: 'groupId', message: 'too long' }],
        },
      })
    },
  )
})

test('an error page of another server is reported as a problem too', async () => {
  await withServer(
    (_, response) => response.writeHead(502).end('<html>Bad Gateway</html>'),
    async (client) => {
      const reply = await client.get('a')
      assert.equal(reply.kind, 'problem')
      assert.deepEqual(reply.kind === 'problem' && [reply.problem.status, reply.problem.code], [
        502,
        'unexpected_answer',
      ])
    },
  )
})

test('a change whose connection breaks before the answer may have been done; a read cannot have', async () => {
  await withServer(
    (request) => request.socket.destroy(),
    async (client) => {
      assert.equal((await client.create({ groupId: 'a' })).kind, 'broken')
      assert.equal((await client.delete('a', undefined)).kind, 'broken')
      assert.equal((await client.get('a')).kind, 'unreachable')
    },
  )
})

test('after a 2xx answer that is not JSON, the outcome of a change is unknown', async () => {
  await withServer(
    (_, response) => response.end('hello'),
    async (client) => {
      assert.equal((await client.create({ groupId: 'a' })).kind, 'broken')
    },
  )
})

test('a command never repeats a request at the same connector, and asks the next one when it is safe', async () => {
  let count = 0
  await withServer(
    (request, response) => {
      count += 1
      if (request.url === '/v1/group/broken') request.socket.destroy()
      else response.writeHead(503).end('{"code":"unavailable","outcome":"not_applied"}')
    },
    async (client, url) => {
      assert.equal((await client.get('broken')).kind, 'unreachable')
      assert.equal((await client.create({ groupId: 'a' })).kind, 'problem')
      assert.equal(count, 2)
      const several = new ApiClient({ url, urls: ['http://127.0.0.1:1', `${url}/other`, url] })
      assert.equal((await several.create({ groupId: 'a' })).kind, 'problem')
      assert.equal(count, 4)
      await several.close()
    },
  )
})

test('a create that must be sure asks again with the same key, until a connector tells', async () => {
  const keys: unknown[] = []
  await withServer(
    (request, response) => {
      keys.push(request.headers['idempotency-key'])
      if (keys.length < 3) request.socket.destroy()
      else response.writeHead(201).end('{"groupId":"a"}')
    },
    async (client) => {
      assert.equal((await client.createSurely({ groupId: 'a' }, 60_000)).kind, 'answered')
    },
  )
  assert.equal(keys.length, 3)
  assert.equal(new Set(keys).size, 1)
  // What was not applied is told at once.
  let count = 0
  await withServer(
    (_, response) => {
      count += 1
      response.writeHead(503).end('{"code":"unavailable","outcome":"not_applied"}')
    },
    async (client) => {
      assert.equal((await client.createSurely({ groupId: 'a' }, 60_000)).kind, 'problem')
    },
  )
  assert.equal(count, 1)
})

test('if no server listens, nothing was sent', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const client = new ApiClient({ url: `http://127.0.0.1:${port}` })
  assert.deepEqual(await client.create({ groupId: 'a' }), {
    kind: 'unreachable',
    reason: 'connection refused',
  })
  await client.close()
})
