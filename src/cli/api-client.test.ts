import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiClient, groupPath } from './api-client.ts'

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

test('every id becomes one path segment that decodes to it, and that no URL parser resolves away', () => {
  const id = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.constantFrom('.', '..', 'a/b', '%2F', '?', '#', '/'),
  )
  fc.assert(
    fc.property(id, (groupId) => {
      const path = groupPath(groupId)
      assert.match(path, /^\/v1\/group\/[!-~]+$/)
      const segments = path.split('/')
      assert.equal(segments.length, 4)
      assert.equal(decodeURIComponent(segments[3]!), groupId)
      assert.notEqual(segments[3], '.')
      assert.notEqual(segments[3], '..')
    }),
  )
})

test('the path is sent unchanged', async () => {
  const paths: string[] = []
  await withServer(
    (request, response) => {
      paths.push(request.url ?? '')
      response.setHeader('etag', '"1-a"').end('{"groupId":"x","version":1}')
    },
    async (client) => {
      for (const groupId of ['..', 'a/b', '🦊', 'a b', '%2F']) await client.get(groupId)
    },
  )
  assert.deepEqual(paths, [
    '/v1/group/%2E%2E',
    '/v1/group/a%2Fb',
    '/v1/group/%F0%9F%A6%8A',
    '/v1/group/a%20b',
    '/v1/group/%252F',
  ])
})

test('a path in front of the API is kept', async () => {
  let path: string | undefined
  await withServer(
    (request, response) => {
      path = request.url
      response.end('{}')
    },
    async (_, url) => {
      const client = new ApiClient({ url: `${url}/registry/` })
      await client.get('a')
      await client.close()
    },
  )
  assert.equal(path, '/registry/v1/group/a')
})

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
