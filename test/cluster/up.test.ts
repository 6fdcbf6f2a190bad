/** `cohort up` with real processes: what it starts, what it starts again, and that nothing outlives it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { clusterStatus, statusOf } from './cluster-status.ts'
import { cohort, cohortHere, startCommand } from './command.ts'
import { leaveNothing, startedProcesses } from './leave-nothing.ts'
import { call, create, read } from './load.ts'
import { openDescriptors, untilNoMoreThan } from './open-descriptors.ts'
import { freePorts } from './ports.ts'
import type { Service } from './service.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { until, within } from './waiting.ts'

/** The last line that up prints when all is ready; each line may arrive by itself. */
const READY = /Ctrl-C stops it/
/** The time that the start of seven processes may take on a busy machine. */
const READY_MS = 40_000
/** A service that has died is started again after 0.2 s. */
const BACK_MS = 10_000
/** Services drain, connectors before nodes; with no request under way no limit of a drain is reached. */
const STOPPED_MS = 5_000

leaveNothing()

/** Every process that has written a log line; `name` narrows it to one service. */
function pidsOf({ output }: Service, name = ''): number[] {
  const lines = output.split('\n').filter((line) => line.startsWith(name))
  return [...new Set(lines.flatMap((line) => /"pid":(\d+)/.exec(line)?.[1] ?? []).map(Number))]
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a local cluster, from its first start to the end of every process', async (t) => {
  await using directory = await temporaryDirectory()
  const dataDir = directory.path
  const ports = await freePorts(31)
  const [port] = ports as [number]
  const url = `http://127.0.0.1:${port}`
  const at = (offset: number) => `http://127.0.0.1:${port + offset}`
  const upArgs = ['up', '--data-dir', dataDir, '--nodes', '4']
  await using up = startCommand(...upArgs, '--connectors', '2', '--port', String(port))

  await t.test('up starts a cluster, and says where it is', async () => {
    await up.says(READY, READY_MS)
    assert.match(up.output, /^cohort +\| ready: 4 nodes, 2 connectors$/m)
    assert.ok(up.output.includes(`${url}/v1/group`), up.output)
    assert.ok(up.output.includes(`${url}/v1/docs`), up.output)
    assert.match(up.output, /^cohort +\| {3}cluster {2}[0-9a-f-]{36} {2}\(CLUSTER_ID pins it\)$/m)
    assert.equal((await create(url, 'kept')).status, 201)
    assert.equal((await read(at(5), 'kept')).status, 200)
    const metrics = [0, 5, 6, 7, 8, 9].map((offset) => `${at(offset)}/metrics`)
    for (const each of metrics) {
      assert.ok(up.output.includes(each), up.output)
      assert.equal(await statusOf(each), 200)
    }
    assert.equal(pidsOf(up).length, 6)
  })

  await t.test(
    'a process that dies is started again, which up reports, and no descriptor of it is left',
    async () => {
      const before = await openDescriptors(up.pid!)
      for (const name of ['node2', 'connector1']) {
        const [pid] = pidsOf(up, name)
        process.kill(pid!, 'SIGKILL')
        await until(`${name} is back`, BACK_MS, () => pidsOf(up, name).length === 2)
        const said = new RegExp(`^${name} +\\| was ended by SIGKILL; it is started again in 0.2 s$`, 'm')
        assert.match(up.output, said)
      }
      await until('the API answers', BACK_MS, async () => (await statusOf(`${url}/readyz`)) === 200)
      await untilNoMoreThan(before, up.pid!)
      assert.equal((await startedProcesses(process.pid)).length, 1 + 6, 'up, and one process of each service')
    },
  )

  await t.test('a node that was removed from the cluster is not started again', async () => {
    const { members } = await clusterStatus(url)
    const { nodeId } = members.find(({ address }) => address === `127.0.0.1:${port + 4}`)!
    const removal = await call('DELETE', `${url}/v1/cluster/members/${nodeId}`)
    assert.equal(removal.status, 202)
    await up.says(/^node4 +\| is no longer a member of the cluster, and is not started again$/m, READY_MS)
    assert.equal(pidsOf(up, 'node4').length, 1)
    assert.equal((await create(url, 'afterwards')).status, 201)
  })

  await t.test('Ctrl-C stops all processes, connectors first', async () => {
    const pids = pidsOf(up)
    assert.equal(await up.end('SIGINT', STOPPED_MS), 0)
    assert.deepEqual(pids.filter(isAlive), [])
    assert.deepEqual(await startedProcesses(process.pid), [])
    const stops = up.output
      .split('\n')
      .filter((line) => /"msg":"(connector|node) (is stopping|has stopped)"/.test(line))
    const kinds = stops.map((line) => line.slice(0, 4))
    assert.ok(kinds.lastIndexOf('conn') < kinds.indexOf('node'), stops.join('\n'))
  })

  await t.test('the data are refused with another number of nodes', async () => {
    const other = await cohortHere('up', '--data-dir', dataDir, '--nodes', '5', '--port', String(port))
    assert.equal(other.exitCode, 2)
    assert.match(
      other.output,
      /^cohort: \S+ holds the data of 4 nodes, but 5 nodes were asked for: use --nodes 4/,
    )
  })
})

test('a small cluster: it is started twice at once, stopped while a request is under way, started again, and up is killed', async (t) => {
  await using directory = await temporaryDirectory()
  const ports = await freePorts(15)
  const [port] = ports as [number]
  const url = `http://127.0.0.1:${port}`
  const drainMs = 6_000
  const upArgs = ['up', '--data-dir', directory.path, '--nodes', '1']
  upArgs.push('--drain-timeout', String(drainMs / 1_000))
  await using up = startCommand(...upArgs, '--port', String(port))
  await up.says(READY, READY_MS)
  assert.equal((await create(url, 'kept')).status, 201)

  await t.test(
    'a second up on the same data ends with the reason, and does not disturb the first',
    async () => {
      const second = await cohort(...upArgs, '--port', String(port + 10))
      assert.equal(second.exitCode, 1)
      assert.match(second.output, /is using the data directory/)
      assert.match(
        second.output,
        /could not start \(ended with exit code 1\).*\n(.*\n)*.*nothing is left running/,
      )
      assert.equal((await create(url, 'undisturbed')).status, 201)
      assert.equal((await startedProcesses(process.pid)).length, 1 + 2)
    },
  )

  await t.test(
    'up waits for a connector as long as the drain timeout lets it, and does not kill it before',
    async () => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.on('error', () => undefined)
      await within(STOPPED_MS, once(socket, 'connect'), 'a connection')
      socket.write(
        'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
      )
      await statusOf(`${url}/livez`)
      const startMs = performance.now()
      // As a terminal that is closed does.
      assert.equal(await up.end('SIGHUP', drainMs + STOPPED_MS), 0)
      const tookMs = performance.now() - startMs
      assert.ok(tookMs >= drainMs - 100, `it ended after ${tookMs} ms`)
      assert.match(up.output, /the drain timeout is over/)
      assert.doesNotMatch(up.output, /was killed/)
    },
  )

  await t.test('the data are found again with the same number of nodes', async (t) => {
    await using again = startCommand(...upArgs, '--port', String(port))
    await again.says(READY, READY_MS)
    for (const groupId of ['kept', 'undisturbed']) {
      assert.equal((await read(url, groupId)).status, 200)
    }

    await t.test('when up itself is killed, the processes that it started drain and end', async () => {
      const pids = pidsOf(again)
      assert.equal(pids.length, 2)
      await again.discard()
      await until('nothing is left', STOPPED_MS, () => !pids.some(isAlive))
      assert.deepEqual(await startedProcesses(process.pid), [])
    })
  })
})
