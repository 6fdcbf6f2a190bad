import { testHostilePeers } from '../testing/hostile-peer.ts'

testHostilePeers(false)
