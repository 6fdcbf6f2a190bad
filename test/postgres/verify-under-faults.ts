/**
 * `cohort verify` on connectors of the engine on Postgres, while servers, backends and connections fail:
 * `npm run postgres:faults -- --minutes 10`.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cohort, startCommand } from '../cluster/command.ts'
import { untilReady } from '../cluster/local-cluster.ts'
import { freePorts } from '../cluster/ports.ts'
import { Service } from '../cluster/service.ts'
import { TcpProxy } from '../cluster/tcp-proxy.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { wreakOnPostgres } from './nemesis.ts'
import { Trio } from './trio.ts'

const CONNECTORS = 2
/** The faults end before the clients, so that the last operations are answered. */
const QUIET_MS = 3_000
/** The time that a run takes after its end: faults are mended, and the groups are deleted. */
const END_MS = 180_000
const KINDS_OF_FAULTS = 12

/**
 * Checks that clients see one linearizable history for this many seconds of faults. An acknowledged write
 * that is lost breaks that history.
 *
 * @returns what happened, for the log
 */
export async function verifyPostgresUnderFaults(seconds: number, seed: number): Promise<string> {
  await using directory = await temporaryDirectory()
  await using trio = await Trio.start()
  await using stack = new AsyncDisposableStack()
  const proxies: TcpProxy[] = []
  for (const { port } of trio.servers) proxies.push(stack.use(await TcpProxy.start(port)))
  const database = 'faults'
  await trio.createDatabase(database)
  const url = trio.url(database, proxies)
  const init = await cohort('postgres', 'init', '--database', url)
  assert.equal(init.exitCode, 0, init.output)
  const connectors: Service[] = []
  for (const port of await freePorts(CONNECTORS)) {
    const flags = ['--engine', 'postgres', '--database', url, '--port', String(port)]
    const connector = stack.use(new Service(`connector ${port}`, port, ['connector', ...flags]))
    connector.start()
    await untilReady(connector)
    connectors.push(connector)
  }
  const history = join(directory.path, 'history.jsonl')
  const verify = stack.use(
    startCommand(
      'verify',
      ...['--seconds', String(seconds), '--history', history],
      ...connectors.flatMap((connector) => ['--url', connector.url]),
    ),
  )
  const victims = { trio, database, proxies, connectors }
  const counts = await wreakOnPostgres(victims, seed, AbortSignal.timeout(seconds * 1_000 - QUIET_MS))
  const exitCode = await verify.exit(END_MS)
  const faults = [...counts].map(([name, count]) => `  ${String(count).padStart(4)}  ${name}`)
  const story = [
    `faults of seed ${seed}, timeline ${await timelineOf(trio)}:`,
    ...faults,
    verify.output,
  ].join('\n')
  assert.equal(exitCode, 0, story)
  assert.match(verify.output, /^verdict +linearizable$/m, story)
  assert.equal(counts.size, KINDS_OF_FAULTS, story)
  for (const { name, output, exitCodes } of connectors) {
    assert.deepEqual(exitCodes, [], `${name} ended by itself:\n${output.slice(-2_000)}`)
    const errors = output.split('\n').filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(errors, [], `${name} has logged errors`)
  }
  return story
}

/** Each promotion begins a timeline. */
async function timelineOf({ primary }: Trio): Promise<number> {
  const [row] = await primary.query<{ timeline: number }>(
    'select timeline_id as timeline from pg_control_checkpoint()',
  )
  return row!.timeline
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    },
  })
  console.log(await verifyPostgresUnderFaults(Math.ceil(Number(values.minutes) * 60), Number(values.seed)))
  console.log('acknowledged writes lost: 0')
}
