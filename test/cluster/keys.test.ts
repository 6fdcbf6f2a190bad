/** API keys in a whole cluster: two connectors, commands with key files, and `cohort up`. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { hashLineOf } from '../../src/access/admin-keys.ts'
import { idOfToken, newToken } from '../../src/access/key-token.ts'
import { cohortHere, startCommand } from './command.ts'
import { leaveNothing } from './leave-nothing.ts'
import { LocalCluster } from './local-cluster.ts'
import { freePorts } from './ports.ts'
import { ServiceHere } from './service-here.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
import { until } from './waiting.ts'

leaveNothing()

/** The promise is a second; a busy machine may need longer. */
const OBEY_MS = 30_000
const READY_MS = 60_000
/** A request that is sent so long after the answer to a revocation must not be taken, however busy all is. */
const OBEYED_MS = 1_000

async function statusWith(url: string, token: string | undefined): Promise<number> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(url, { headers })
  await answer.body?.cancel()
  return answer.status
}

/** All bytes below a directory, as text. */
async function bytesBelow(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}

describe('two connectors with keys', () => {
  const admin = newToken(randomBytes)
  let directory: TemporaryDirectory
  let cluster: LocalCluster
  const path = (name: string) => join(directory.path, name)

  before(async () => {
    directory = await temporaryDirectory()
    await writeFile(path('admin.key'), `${admin}\n`, { mode: 0o600 })
    await writeFile(path('admin.hash'), `${hashLineOf(admin)}\n`)
    cluster = await LocalCluster.start({
      connectors: 2,
      isProxied: true,
      processes: [],
      timeoutSeconds: 1,
      connectorArgs: ['--admin-key-file', path('admin.hash')],
    })
  })
  after(async () => {
    await cluster?.stop()
    await directory?.[Symbol.asyncDispose]()
  })

  const asAdmin = (method: 'POST' | 'DELETE', url: string, body?: object) =>
    fetch(url, {
      method,
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })

  /** A key that both connectors take, and how to revoke it: `revoke` resolves when that is acknowledged. */
  async function aKey(name: string) {
    const [one, two] = cluster.connectors.map(({ url }) => url) as [string, string]
    const answer = await asAdmin('POST', `${one}/v1/key`, { name, role: 'reader' })
    assert.equal(answer.status, 201)
    const { token, key } = (await answer.json()) as { token: string; key: { keyId: string } }
    await until('both connectors take the new key', OBEY_MS, async () => {
      const statuses = await Promise.all([one, two].map((url) => statusWith(`${url}/v1/caller`, token)))
      return statuses.every((status) => status === 200)
    })
    const revoke = async (url = one) => {
      let isUnknown = false
      await until('the revocation is acknowledged', OBEY_MS, async () => {
        const { status } = await asAdmin('DELETE', `${url}/v1/key/${key.keyId}`)
        assert.ok([200, 503, 504].includes(status) || (isUnknown && status === 404), `${status}`)
        // On a busy machine it may take longer than a request may, and be done all the same.
        isUnknown ||= status === 504
        return status === 200 || status === 404
      })
      return performance.now()
    }
    return { token, revoke }
  }

  /**
   * The links of the connector that has founded the cluster: the members have their addresses. Any other
   * connector would find the members there too when its own links are cut.
   */
  async function linksOfFounder() {
    const { url } = cluster.connectors[0]!
    const answer = await fetch(`${url}/v1/cluster`, { headers: { authorization: `Bearer ${admin}` } })
    const { members } = (await answer.json()) as { members: { address: string }[] }
    const links = cluster.links.find((all) =>
      all.every(({ address }) => members.some((m) => m.address === address)),
    )
    assert.ok(links, JSON.stringify(members))
    return links
  }

  /** Sends requests with a key until `stop`, and keeps what was answered, and when each was sent. */
  function asking(url: string, token: string) {
    const answers: { sentAtMs: number; status: number }[] = []
    let isStopped = false
    const run = async () => {
      while (!isStopped) {
        const sentAtMs = performance.now()
        answers.push({ sentAtMs, status: await statusWith(url, token) })
      }
    }
    const running = run()
    const stop = async () => {
      isStopped = true
      await running
    }
    const since = (ms: number) => answers.filter(({ sentAtMs }) => sentAtMs > ms).map(({ status }) => status)
    return { answers, since, stop }
  }

  test('a revoked key is refused by each connector a second after its revocation: under load, and by one that was cut off from the nodes', async () => {
    const urls = cluster.connectors.map(({ url }) => url)
    const loaded = await aKey('loaded')
    // `/v1/caller` needs no node, so only the check of the key can refuse it.
    const clients = urls.flatMap((url) =>
      Array.from({ length: 12 }, (_, index) =>
        asking(`${url}/v1/${index < 4 ? 'caller' : 'group/team-a%2Fone'}`, loaded.token),
      ),
    )
    await until('every client is let in', OBEY_MS, async () =>
      clients.every(({ answers }) => answers.some(({ status }) => status === 200 || status === 404)),
    )
    const revokedAtMs = await loaded.revoke()
    await until('every client is refused', OBEY_MS, async () =>
      clients.every(({ since }) => since(revokedAtMs + OBEYED_MS).includes(401)),
    )
    await Promise.all(clients.map(({ stop }) => stop()))
    for (const { since } of clients) {
      // On a busy machine a question to the nodes may take too long.
      const late = new Set(since(revokedAtMs + OBEYED_MS))
      assert.deepEqual(
        [...late].filter((status) => status !== 401 && status !== 503),
        [],
      )
    }

    const [lost, kept] = [await aKey('lost'), await aKey('kept')]
    const links = await linksOfFounder()
    const cutOff = urls[cluster.links.indexOf(links)]!
    const other = urls.find((url) => url !== cutOff)!
    for (const link of links) link.cut()
    const client = asking(`${cutOff}/v1/caller`, lost.token)
    const revokedWhileCutMs = await lost.revoke(other)
    assert.equal(await statusWith(`${other}/v1/caller`, kept.token), 200)
    await until(
      'the connector that is cut off was asked a second later',
      OBEY_MS,
      async () => client.since(revokedWhileCutMs + OBEYED_MS).length > 3,
    )
    assert.deepEqual([...new Set(client.since(revokedWhileCutMs + OBEYED_MS))], [503])
    assert.equal(await statusWith(`${cutOff}/v1/caller`, admin), 200)
    for (const link of links) link.heal()
    await until('it refuses the revoked key', OBEY_MS, async () => client.answers.at(-1)?.status === 401)
    await client.stop()
    const late = new Set(client.since(revokedWhileCutMs + OBEYED_MS))
    assert.deepEqual([...late].sort(), [401, 503], 'it was never taken again')
    await until(
      'it takes the other key again',
      OBEY_MS,
      async () => (await statusWith(`${cutOff}/v1/caller`, kept.token)) === 200,
    )
  })

  test('every connector obeys a new, a rotated and a revoked key; commands send keys; no secret is left anywhere', async () => {
    const [one, two] = cluster.connectors.map(({ url }) => url) as [string, string]
    const group = (url: string) => `${url}/v1/group/team-a%2Fone`
    const run = async (...args: string[]) => {
      const { exitCode, output } = await cohortHere(...args, '--url', one, '--key-file', path('admin.key'))
      assert.equal(exitCode, 0, output)
      return output
    }
    const secrets = [admin]
    const tokenIn = async (name: string) => {
      const token = (await readFile(path(name), 'utf8')).trim()
      secrets.push(token)
      return token
    }
    const obeyedByBoth = (claim: string, token: string, expected: number) =>
      until(claim, OBEY_MS, async () => {
        const statuses = [await statusWith(group(one), token), await statusWith(group(two), token)]
        return statuses.every((status) => status === expected)
      })

    assert.deepEqual(
      [await statusWith(group(one), undefined), await statusWith(`${one}/readyz`, undefined)],
      [401, 200],
    )
    await run('key', 'create', '--name', 'ci', '--role', 'writer', '--out', path('ci.key'))
    const token = await tokenIn('ci.key')
    await obeyedByBoth('both connectors take the new key', token, 404)

    const generated = await cohortHere(
      'generate',
      '--amount',
      '20',
      '--url',
      two,
      '--key-file',
      path('ci.key'),
    )
    assert.equal(generated.exitCode, 0, generated.output)
    // The test before has cut this connector off. It may still be waiting before it connects to a node again.
    await until('the status shows a healthy cluster', OBEY_MS, async () => {
      const { output } = await cohortHere('status', '--url', one, '--key-file', path('admin.key'))
      return output.startsWith('HEALTHY')
    })

    await run('key', 'rotate', idOfToken(token)!, '--out', path('second.key'))
    const second = await tokenIn('second.key')
    await obeyedByBoth('both connectors refuse the old secret', token, 401)
    assert.equal(await statusWith(group(two), second), 404)
    await run('key', 'revoke', idOfToken(second)!)
    await obeyedByBoth('both connectors refuse the revoked key', second, 401)

    // Without a quorum a key cannot be checked: that is never told as a wrong key. The admin key counts.
    await run('key', 'create', '--name', 'late', '--role', 'reader', '--out', path('late.key'))
    const late = await tokenIn('late.key')
    await obeyedByBoth('both connectors take the new key', late, 404)
    await Promise.all(cluster.nodes.slice(1).map((node) => node.end('SIGTERM')))
    const seen = new Set<number>()
    await until('a key cannot be checked', OBEY_MS, async () => {
      const status = await statusWith(`${two}/v1/cluster`, late)
      seen.add(status)
      return status === 503
    })
    assert.ok(!seen.has(401), [...seen].join())
    assert.equal(await statusWith(`${two}/v1/cluster`, admin), 200)

    const metrics = await (
      await fetch(`${one}/metrics`, { headers: { authorization: `Bearer ${admin}` } })
    ).text()
    const outputs = cluster.services.map(({ output }) => output)
    const kept = await bytesBelow(join(cluster.dataDirectory(0), '..'))
    const said = [metrics, ...outputs, kept].join('\n')
    assert.match(said, new RegExp(idOfToken(late)!), 'the public id is kept')
    for (const secret of secrets) assert.ok(!said.includes(secret.slice(15)), 'no secret is kept or said')
  })
})

test('a connector that other machines can reach does not start without authentication, and says what to do', async () => {
  const { exitCode, output } = await cohortHere(
    'connector',
    '--host',
    '0.0.0.0',
    '--port',
    '0',
    '--hosts',
    '127.0.0.1:1',
  )
  assert.equal(exitCode, 2)
  assert.match(
    output,
    /^cohort: --host is 0\.0\.0\.0, .*: set ADMIN_KEY_FILE to .*, or allow it with --insecure \(INSECURE=true\)\n$/,
  )
})

test('a connector on this machine says that it is open; one with a key that cannot be read does not start', async () => {
  await using directory = await temporaryDirectory()
  await using open = new ServiceHere('open', 0, ['connector', '--port', '0', '--hosts', '127.0.0.1:1'])
  open.start()
  await open.says(
    /"msg":"the API has no authentication: every program of this machine may do everything"/,
    READY_MS,
  )
  const file = join(directory.path, 'none')
  const { exitCode, output } = await cohortHere(
    'connector',
    '--port',
    '0',
    '--hosts',
    '127.0.0.1:1',
    '--admin-key-file',
    file,
  )
  assert.equal(exitCode, 2)
  assert.match(output, /^cohort: ADMIN_KEY_FILE: \S+none cannot be read \(ENOENT\)\n$/)
})

test('`up` makes an admin key where other machines connect, and says where it is', async () => {
  await using directory = await temporaryDirectory()
  const [port] = await freePorts(3)
  const dataDir = join(directory.path, 'data')
  // It is an address of this machine only, but its text does not tell that.
  const host = '::ffff:127.0.0.1'
  const url = `http://127.0.0.1:${port}`
  const args = ['--nodes', '1', '--host', host, '--port', String(port), '--data-dir', dataDir]
  await using up = startCommand('up', ...args)
  await up.says(/admin key {2}\S+admin\.key {2}\(COHORT_KEY_FILE names it for the commands\)\n/, READY_MS)
  await up.says(/cluster {2}[0-9a-f-]{36}/, READY_MS)
  const token = (await readFile(join(dataDir, 'admin.key'), 'utf8')).trim()
  assert.equal((await stat(join(dataDir, 'admin.key'))).mode & 0o777, 0o600)
  assert.equal(await statusWith(`${url}/v1/group`, undefined), 401)
  assert.equal(await statusWith(`${url}/v1/group`, token), 200)
  assert.ok(!up.output.includes(token.slice(15)))
  assert.equal(await up.end('SIGTERM', READY_MS), 0)
})
