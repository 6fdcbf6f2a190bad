import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { wreak } from './chaos.ts'
import { call } from './load.ts'
import { LocalCluster, Service, untilReady } from './local-cluster.ts'

const SECONDS = 30
/** The faults end a little before, so that the last operations are answered and the groups can be deleted. */
const FAULTS_MS = (SECONDS - 2) * 1_000

/** Runs `cohort verify` through all connectors of a cluster; the history is kept when it fails. */
async function startVerify({ connectors }: LocalCluster, seconds: number) {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-verify-'))
  const urls = connectors.flatMap(({ url }) => ['--url', url])
  const verify = new Service('verify', 0, [
    'verify',
    ...['--seconds', String(seconds), '--history', join(directory, 'history.jsonl')],
    ...urls,
  ])
  verify.start()
  return { verify, forget: () => rm(directory, { recursive: true }) }
}

test(`clients see one linearizable history for ${SECONDS} s of kills, stops and broken networks`, async (context) => {
  await using cluster = await LocalCluster.start({ connectors: 3, isProxied: true })
  const seed = Date.now() % 2 ** 31
  const { verify, forget } = await startVerify(cluster, SECONDS)
  const counts = await wreak(cluster, seed, AbortSignal.timeout(FAULTS_MS))
  const exitCode = await verify.exit()
  const story = `faults of seed ${seed}: ${JSON.stringify(Object.fromEntries(counts))}\n${verify.output}`
  context.diagnostic(story)
  assert.equal(exitCode, 0, story)
  assert.match(verify.output, /^verdict +linearizable$/m)
  assert.match(verify.output, /^cleaned up +all groups$/m)
  // It is only worth something if faults have been met, and work was done all the same.
  assert.match(verify.output, /unknown: [1-9]/, story)
  const [, checked = ''] = /^checked +([\d,]+) answers/m.exec(verify.output) ?? []
  assert.ok(Number(checked.replaceAll(',', '')) > 200, story)
  assert.equal(counts.size, 12, 'every kind of fault has happened')
  for (const { name, output, exitCodes } of cluster.services) {
    assert.deepEqual(exitCodes, [], `${name} ended by itself:\n${output.slice(-2_000)}`)
    const errors = output.split('\n').filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(errors, [], `${name} calls for a human, or met a bug of its own`)
  }
  await forget()
})

test('verify that is interrupted says what it has found, and leaves no group behind', async () => {
  await using cluster = await LocalCluster.start({ connectors: 2 })
  const { verify, forget } = await startVerify(cluster, 600)
  await sleep(1_500)
  const exitCode = await verify.end('SIGINT')
  assert.equal(exitCode, 130, verify.output)
  assert.match(verify.output, /^verdict +linearizable$/m)
  const { body } = await call('GET', `${cluster.connectors[0]!.url}/v1/group`)
  assert.deepEqual(body.groups, [])
  await forget()
})

test('verify through connectors of two clusters is refused', async () => {
  await using cluster = await LocalCluster.start({ nodes: 1 })
  await using other = await LocalCluster.start({ nodes: 1 })
  const urls = [...cluster.connectors, ...other.connectors].flatMap(({ url }) => ['--url', url])
  const verify = new Service('verify', 0, ['verify', ...urls])
  verify.start()
  assert.equal(await verify.exit(), 1)
  assert.match(verify.output, /serve different clusters/)
})

test('verify of a cluster that answers nothing is no success', async () => {
  await using cluster = await LocalCluster.start({ timeoutSeconds: 0.2 })
  await untilReady(cluster.connectors[0]!)
  await Promise.all([cluster.nodes[0]!.end('SIGKILL'), cluster.nodes[1]!.end('SIGKILL')])
  const { verify, forget } = await startVerify(cluster, 1)
  await sleep(1_500)
  // Groups cannot be deleted either: an interrupt cuts the patience for that short.
  assert.equal(await verify.end('SIGINT'), 130)
  assert.match(verify.output, /^verdict +none: too little was answered/m)
  await forget()
})
