/**
 * Listens on a host that may be a name. A name can have several addresses (`localhost` often has 127.0.0.1
 * and ::1), and a client may try any of them first. So a server listens on all of them or on none.
 */
import { lookup } from 'node:dns/promises'
import { isIP, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { formatAddress } from './address.ts'
import { FaultError, listenFault } from './fault.ts'

/** All IP addresses of a name, as the system's resolver gives them. Rejects when there are none. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** One address on which a server listens. `release` gives the port back. */
export type Bound = Readonly<{ port: number; release: () => void | Promise<void> }>

/** Listens on one IP address. Port 0 means any free port. Rejects when it cannot listen. */
export type Bind<T extends Bound> = (address: string, port: number) => Promise<T>

/** How often port 0 is tried, if the chosen port is in use on another address of the name. */
const FREE_PORT_ATTEMPTS = 20

/**
 * Calls `bind` for every IP address of `host`, all with the same port. If one fails, those that were bound
 * before it are released.
 *
 * @throws {FaultError} when the name has no address, or an address cannot be bound
 */
export async function listenEverywhere<T extends Bound>(
  { host, port }: Readonly<{ host: string; port: number }>,
  bind: Bind<T>,
  resolve: Resolve = resolveName,
): Promise<readonly T[]> {
  const addresses = await addressesOf(host, port, resolve)
  for (let attempt = 1; ; attempt += 1) {
    const bound: T[] = []
    try {
      for (const address of addresses) {
        bound.push(await bindOne(address, bound[0]?.port ?? port, { host, bind }))
      }
      return bound
    } catch (error) {
      for (const { release } of bound) await release()
      const mayTryAgain = port === 0 && bound.length > 0 && attempt < FREE_PORT_ATTEMPTS
      if (!(mayTryAgain && error instanceof FaultError && error.code === 'address_in_use')) throw error
    }
  }
}

async function bindOne<T extends Bound>(
  address: string,
  port: number,
  { host, bind }: Readonly<{ host: string; bind: Bind<T> }>,
): Promise<T> {
  try {
    return await bind(address, port)
  } catch (cause) {
    const name = formatAddress(address, port)
    throw listenFault(host === address ? name : `${name} (${host})`, cause as Error)
  }
}

async function addressesOf(host: string, port: number, resolve: Resolve): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  try {
    return reachable([...new Set(await resolve(host))])
  } catch (cause) {
    throw new FaultError(
      'address_unusable',
      `cannot listen on ${host}:${port}: the name ${host} has no IP address (${(cause as Error).message})`,
      cause,
    )
  }
}

/**
 * The addresses, without those of a family (IPv4 or IPv6) that is turned off on this machine, which no client
 * can reach. Containers often have `::1 localhost` in their hosts file, but no IPv6.
 */
function reachable(addresses: readonly string[]): readonly string[] {
  const families = new Set(
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map(({ family }) => family),
  )
  const left = addresses.filter((address) => families.has(isIPv6(address) ? 'IPv6' : 'IPv4'))
  return left.length === 0 ? addresses : left
}

async function resolveName(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}
