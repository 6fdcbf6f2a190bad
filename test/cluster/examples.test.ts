import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertInstalled } from '../installed.ts'
import { leaveNothing } from './leave-nothing.ts'
import { call, create, read } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { until, within } from './waiting.ts'

leaveNothing()

/** What an example printed, and how it ended. */
type Result = Readonly<{ code: number; stdout: string; stderr: string }>

/** Runs an example against a connector, with the Node of the project. It is given 60 s. */
function run(url: string, file: string, ...args: readonly string[]): Promise<Result> {
  const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url))
  const command = file.endsWith('.sh') ? [path] : [process.execPath, path]
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, API: url }, timeout: 60_000 }
    execFile(command[0]!, [...command.slice(1), ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

test('the examples do what they say, against a cluster of real processes', async (t) => {
  // The connector reaches the nodes through links that a test can block.
  await using cluster = await LocalCluster.start({ isProxied: true, processes: [] })
  const { url } = cluster.connectors[0]!

  await t.test('curl.sh gets every answer that it expects', async () => {
    assertInstalled('curl')
    const { code, stdout, stderr } = await run(url, 'curl.sh')
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stdout.trim().split('\n').length, 8)
  })

  await t.test(
    'of many clients that create a group if it is absent, exactly one is told that it did',
    async () => {
      const results = await Promise.all(
        Array.from({ length: 3 }, () => run(url, 'create-if-absent.mjs', 'many')),
      )
      const lines = results.map(({ code, stdout, stderr }) => `${code} ${stdout.trim()}${stderr}`)
      assert.equal(lines.filter((line) => line === '0 created many').length, 1, lines.join('\n'))
      assert.equal(
        lines.filter((line) => /^0 many was there, since \d{4}-/.test(line)).length,
        2,
        lines.join('\n'),
      )
    },
  )

  await t.test(
    'of many clients that want one place, exactly one gets it, and all others see which',
    async () => {
      await create(url, 'places')
      const names = ['anna', 'ben', 'cleo']
      const results = await Promise.all(
        names.map((name) => run(url, 'update-with-etag.mjs', 'places', 'first', name)),
      )
      const { first } = (await read(url, 'places')).body.labels as { first: string }
      for (const [index, { code, stdout }] of results.entries()) {
        const expected =
          names[index] === first ? [0, `${first} has first\n`] : [1, `first is taken by ${first}\n`]
        assert.deepEqual([code, stdout], expected)
      }
    },
  )

  await t.test('two clients that want different places both get theirs', async () => {
    const [a, b] = await Promise.all([
      run(url, 'update-with-etag.mjs', 'places', 'second', 'emil'),
      run(url, 'update-with-etag.mjs', 'places', 'third', 'fay'),
    ])
    assert.deepEqual([a.stdout, b.stdout], ['emil has second\n', 'fay has third\n'])
  })

  await t.test(
    'move-member.ts moves a member with its role, through any connector, and says why not',
    async () => {
      for (const groupId of ['from', 'to']) await create(url, groupId)
      const body = { role: 'owner' }
      assert.equal((await call('PUT', `${url}/v1/group/from/members/alice`, body)).status, 201)
      const several = `http://127.0.0.1:1,${url}`
      const args = ['move-member.ts', 'alice', 'from', 'to'] as const
      assert.deepEqual(await run(several, ...args), {
        code: 0,
        stdout: 'alice is in to now, as owner\n',
        stderr: '',
      })
      assert.equal((await call('GET', `${url}/v1/group/from/members/alice`)).status, 404)
      assert.deepEqual(await run(several, ...args), {
        code: 1,
        stdout: 'alice is not in from\n',
        stderr: '',
      })
    },
  )

  await t.test('mirror.ts follows the groups until it is stopped', async () => {
    const path = fileURLToPath(new URL('../../examples/mirror.ts', import.meta.url))
    const child = spawn(process.execPath, [path, 'mirror/'], { env: { PATH: process.env.PATH, API: url } })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (printed += text))
    try {
      await until('it has begun', 30_000, () => printed === '0 groups\n')
      await create(url, 'mirror/a')
      await until('it has seen the group', 30_000, () => printed.endsWith('1 groups\n'))
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      assert.deepEqual(await within(30_000, ended, 'it has ended'), [0, null])
    } finally {
      child.kill('SIGKILL')
    }
  })

  await t.test('list-all.mjs prints each group once, over several pages', async () => {
    const ids = Array.from({ length: 230 }, (_, i) => `list/${String(i).padStart(3, '0')}`)
    await Promise.all(ids.map((id) => create(url, id)))
    const { stdout } = await run(url, 'list-all.mjs')
    const all = stdout.trim().split('\n')
    assert.deepEqual(
      all.filter((id) => id.startsWith('list/')),
      ids,
    )
    assert.equal(new Set(all).size, all.length)
  })

  await t.test(
    'while too few nodes answer the examples wait, and end well when the nodes are back',
    async () => {
      const [links] = cluster.links
      for (const link of links!.slice(1)) link.blackHole('toServer')
      // No operation is decided now: a request is answered 503 or 504 after the timeout.
      assert.ok([503, 504].includes((await call('POST', `${url}/v1/group`, { groupId: 'probe' })).status))
      const created = run(url, 'create-if-absent.mjs', 'patient')
      const taken = run(url, 'update-with-etag.mjs', 'places', 'fourth', 'gus')
      // Long enough for each to get at least one 503 or 504.
      assert.ok([503, 504].includes((await call('POST', `${url}/v1/group`, { groupId: 'probe' })).status))
      for (const link of links!) link.heal()
      assert.deepEqual(await created, { code: 0, stdout: 'created patient\n', stderr: '' })
      assert.deepEqual(await taken, { code: 0, stdout: 'gus has fourth\n', stderr: '' })
    },
  )

  await t.test('an example that is used wrongly, or asks for what is not there, says so', async () => {
    const { code, stderr } = await run(url, 'update-with-etag.mjs', 'nobody', 'first', 'anna')
    assert.equal(code, 1)
    assert.match(stderr, /group_not_found: /)
    assert.match((await run(url, 'create-if-absent.mjs')).stderr, /usage: create-if-absent\.mjs GROUP_ID/)
  })
})
