/** The processes that get certificates: where each is reached, and the name of its folder. */

import { SettingError } from '../../config/setting-error.ts'
import { isHostName, parseAddress, whyUnreachable } from '../../process/address.ts'

/** A process that gets certificates. */
export type Place = Readonly<{
  /** The name of its folder, and its name in its certificate. */
  name: string
  /** DNS names and IP addresses at which it is reached. */
  hosts: readonly string[]
}>

/**
 * Reads a list of hosts, with or without ports, separated by commas or white space. A host that is named with
 * several ports gets a place for each port.
 *
 * @throws SettingError
 */
export function readPlaces(flag: string, text: string): Place[] {
  const found = text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => readHost(flag, word))
  if (found.length === 0) throw new SettingError(`${flag} must name at least one host`)
  const countOf = (host: string) => found.filter((other) => other.host === host).length
  const places = found.map(({ host, port }) => {
    const isShared = countOf(host) > 1
    if (isShared && port === undefined)
      throw new SettingError(`${flag} must name ${host} once, or each time with a port`)
    return { name: fileName(isShared ? `${host}-${port}` : host), hosts: [host] }
  })
  const twin = places.find(({ name }, index) => places.findIndex((other) => other.name === name) < index)
  if (twin !== undefined) throw new SettingError(`${flag} must name each host once, got ${twin.name} twice`)
  return places
}

function readHost(flag: string, word: string): Readonly<{ host: string; port: string | undefined }> {
  const bare = word.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const address = isHostName(bare) ? undefined : parseAddress(word)
  const port = address === undefined ? undefined : /\d+$/.exec(address)![0]
  const host = address === undefined ? bare : address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (!isHostName(host))
    throw new SettingError(
      `${flag} must name hosts, like node1 or 10.0.0.1:8001, got ${JSON.stringify(word)}`,
    )
  const why = whyUnreachable(`${host.includes(':') ? `[${host}]` : host}:1`)
  if (why !== undefined)
    throw new SettingError(`${flag} must name hosts as others reach them, got ${host}, which ${why}`)
  return { host, port }
}

function fileName(text: string): string {
  return text.replaceAll(':', '_')
}
