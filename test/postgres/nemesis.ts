/** Faults of every kind, on real servers whose clients reach them through proxies. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Service } from '../cluster/service.ts'
import type { TcpProxy } from '../cluster/tcp-proxy.ts'
import type { Server } from './server.ts'
import type { Trio } from './trio.ts'

/** What faults can happen to. */
export type Victims = Readonly<{
  trio: Trio
  database: string
  /** The proxy of each server, in the order of the servers. */
  proxies: readonly TcpProxy[]
  connectors: readonly Service[]
}>

type Fault = Readonly<{ name: string; happen: () => Promise<void> }>
type Pause = (msMin: number, msMax: number) => Promise<void>
type Any = <T>(choices: readonly T[]) => T

/**
 * Lets faults happen, one after the other, until aborted and until every kind has happened; then all is
 * mended. Every kind happens before one is repeated.
 *
 * @param seed draws the faults; their exact timing depends on the machine
 * @returns how often each kind has happened
 */
export async function wreakOnPostgres(
  victims: Victims,
  seed: number,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const draws = fc.sample(fc.noBias(fc.nat(2 ** 30 - 1)), { seed, numRuns: 20_000 })
  const share = () => (draws.pop() ?? assert.fail('all draws are used up')) / 2 ** 30
  const any: Any = (choices) => choices[Math.floor(share() * choices.length)]!
  const pause: Pause = (msMin, msMax) => sleep(msMin + share() * (msMax - msMin))
  const faults = [...serverFaults(victims, any, pause), ...connectionFaults(victims, any, pause)]
  const counts = new Map<string, number>()
  for (let cycle = 0; cycle === 0 || !signal.aborted; cycle += 1) {
    for (const { name, happen } of faults.toSorted(() => share() - 0.5)) {
      await pause(200, 800)
      if (cycle > 0 && signal.aborted) return counts
      counts.set(name, (counts.get(name) ?? 0) + 1)
      await happen()
    }
  }
  return counts
}

function serverFaults({ trio, database }: Victims, any: Any, pause: Pause): Fault[] {
  const stop = async (servers: readonly Server[]) => {
    await Promise.all(servers.map((server) => server.signalAll('SIGSTOP')))
    await pause(1_000, 4_000)
    await Promise.all(servers.map((server) => server.signalAll('SIGCONT')))
  }
  return [
    {
      name: 'a backend of the primary is killed',
      happen: async () => {
        const backends = await trio.primary.backends(database)
        // All others end with it: it may have spoiled the memory that they share.
        if (backends.length > 0) process.kill(any(backends), 'SIGKILL')
        await trio.untilSynchronous(2)
      },
    },
    {
      name: 'backends of the primary stop',
      happen: async () => {
        const backends = await trio.primary.backends(database)
        for (const pid of backends) signalIfThere(pid, 'SIGSTOP')
        await pause(500, 4_000)
        for (const pid of backends) signalIfThere(pid, 'SIGCONT')
      },
    },
    { name: 'the primary stops', happen: () => stop([trio.primary]) },
    { name: 'a standby stops', happen: () => stop([any(trio.standbys)]) },
    { name: 'both standbys stop', happen: () => stop(trio.standbys) },
    {
      name: 'a standby is ended and started again',
      happen: async () => {
        const standby = any(trio.standbys)
        await standby.end(any(['SIGINT', 'SIGQUIT'] as const))
        await pause(200, 2_000)
        await standby.start()
        await trio.untilSynchronous(2)
      },
    },
    {
      name: 'the primary is ended and started again',
      happen: async () => {
        await trio.primary.end(any(['SIGINT', 'SIGQUIT'] as const))
        await pause(200, 1_000)
        await trio.primary.start()
        await trio.untilSynchronous(2)
      },
    },
    {
      name: 'a standby is promoted',
      happen: async () => {
        const old = await trio.failOver()
        await pause(500, 2_000)
        await trio.rejoin(old)
      },
    },
  ]
}

function connectionFaults({ trio, proxies, connectors }: Victims, any: Any, pause: Pause): Fault[] {
  const proxyOfPrimary = () => proxies[trio.servers.indexOf(trio.primary)]!
  const cutAfter = async (proxy: TcpProxy, ms: number) => {
    await pause(0, ms)
    proxy.cut()
    proxy.heal()
  }
  const lose = (direction: 'toClient' | 'toServer') => async () => {
    const proxy = proxyOfPrimary()
    proxy.blackHole(direction)
    await cutAfter(proxy, 3_000)
  }
  return [
    {
      name: 'all connections are cut, again and again',
      happen: async () => {
        for (let count = 0; count < 20; count += 1) await cutAfter(proxyOfPrimary(), 100)
      },
    },
    { name: 'answers are lost', happen: lose('toClient') },
    { name: 'statements are lost', happen: lose('toServer') },
    {
      name: 'a connector is killed',
      happen: async () => {
        const connector = any(connectors)
        await connector.end('SIGKILL')
        await pause(200, 1_000)
        connector.start()
      },
    },
  ]
}

function signalIfThere(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
