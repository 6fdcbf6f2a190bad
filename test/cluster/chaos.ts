/** Faults of every kind, on a cluster of real processes whose connectors reach the nodes through proxies. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { LocalCluster } from './local-cluster.ts'
import type { Service } from './service.ts'
import type { TcpProxy } from './tcp-proxy.ts'

/** One fault. `happen` begins it, and resolves when it is mended. */
type Fault = Readonly<{ name: string; happen: () => Promise<void> }>

/**
 * Lets faults happen, one after the other, until aborted and until every kind has happened; then all is
 * mended. Processes and network fail independently of each other, so that any two of their faults can happen
 * together. Every kind happens before one is repeated.
 *
 * @param seed draws the faults; their exact timing depends on the machine
 * @returns how often each kind has happened
 */
export async function wreak(
  cluster: LocalCluster,
  seed: number,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const draws = fc.sample(fc.noBias(fc.nat(2 ** 30 - 1)), { seed, numRuns: 10_000 })
  const share = () => draws.pop() ?? assert.fail('all draws are used up')
  const any = <T>(choices: readonly T[]): T => choices[Math.floor((share() / 2 ** 30) * choices.length)]!
  const pause = (msMin: number, msMax: number) => sleep(msMin + (share() / 2 ** 30) * (msMax - msMin))
  const counts = new Map<string, number>()
  const happen = async (faults: readonly Fault[]) => {
    for (let cycle = 0; cycle === 0 || !signal.aborted; cycle += 1) {
      for (const { name, happen } of faults.toSorted(() => share() - 2 ** 29)) {
        await pause(100, 600)
        if (cycle > 0 && signal.aborted) return
        counts.set(name, (counts.get(name) ?? 0) + 1)
        await happen()
      }
    }
  }
  await Promise.all([happen(processFaults(cluster, any, pause)), happen(networkFaults(cluster, any, pause))])
  return counts
}

type Any = <T>(choices: readonly T[]) => T
type Pause = (msMin: number, msMax: number) => Promise<void>

function processFaults({ nodes, connectors }: LocalCluster, any: Any, pause: Pause): Fault[] {
  const kill = async (services: readonly Service[]) => {
    await Promise.all(services.map((service) => service.end('SIGKILL')))
    await pause(200, 1_200)
    for (const service of services) service.start()
  }
  const stop = async (service: Service, msMax: number) => {
    service.signal('SIGSTOP')
    await pause(200, msMax)
    service.signal('SIGCONT')
  }
  return [
    { name: 'a node is killed', happen: () => kill([any(nodes)]) },
    { name: 'all nodes but one are killed', happen: () => kill(allBut(any(nodes), nodes)) },
    { name: 'a connector is killed', happen: () => kill([any(connectors)]) },
    { name: 'a node and a connector are killed', happen: () => kill([any(nodes), any(connectors)]) },
    // After 3 s its stream is given up, and messages that it still holds arrive late.
    { name: 'a node is stopped', happen: () => stop(any(nodes), 4_500) },
    { name: 'a connector is stopped', happen: () => stop(any(connectors), 2_500) },
  ]
}

function networkFaults({ links }: LocalCluster, any: Any, pause: Pause): Fault[] {
  const fail = async (failing: readonly TcpProxy[], begin: (link: TcpProxy) => void, msMax: number) => {
    for (const link of failing) begin(link)
    await pause(200, msMax)
    for (const link of failing) link.heal()
  }
  const anyLink = () => any(any(links))
  return [
    { name: 'a link is cut', happen: () => fail([anyLink()], (link) => link.cut(), 1_500) },
    { name: 'a connector is cut off', happen: () => fail(any(links), (link) => link.cut(), 1_500) },
    { name: 'requests vanish', happen: () => fail([anyLink()], (link) => link.blackHole('toServer'), 4_500) },
    { name: 'answers vanish', happen: () => fail([anyLink()], (link) => link.blackHole('toClient'), 4_500) },
    {
      name: 'all answers to a connector vanish',
      happen: () => fail(any(links), (link) => link.blackHole('toClient'), 2_000),
    },
    { name: 'a link is slow', happen: () => fail([anyLink()], (link) => link.delay('toServer', 150), 2_000) },
  ]
}

function allBut<T>(one: T, all: readonly T[]): T[] {
  return all.filter((other) => other !== one)
}
