import { networkInterfaces } from 'node:os'

/** A loopback address of this machine that is not 127.0.0.1. Without IPv6: one that Linux has by itself. */
export const SECOND_ADDRESS = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
)
  ? '::1'
  : '127.0.0.2'
