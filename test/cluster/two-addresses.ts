/**
 * Where this file is loaded (by an import, or by `--import` before the program), the name `place.test` stands
 * for two addresses, as `localhost` does on most machines with IPv6. Only the resolver is replaced.
 */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { SECOND_ADDRESS } from '../second-address.ts'

const { lookup } = dns.promises

dns.promises.lookup = (async (name: string, options: object) =>
  name === 'place.test'
    ? [
        { address: '127.0.0.1', family: 4 },
        { address: SECOND_ADDRESS, family: SECOND_ADDRESS.includes(':') ? 6 : 4 },
      ]
    : lookup(name, options)) as typeof lookup

syncBuiltinESMExports()
