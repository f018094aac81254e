// SPDX-License-Identifier: Apache-2.0
// A test wallet that is a contract: its owner's signature is its own (EIP-1271), and anyone may have it run a call.
// The owner stands in the first storage slot. Compiled with solc 0.8 (optimiser on, 200 runs) into Wallet.hex.
pragma solidity ^0.8.20;

contract Wallet {
    address public owner;

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        bool good = ecrecover(digest, uint8(signature[64]), r, s) == owner;
        return good ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }

    function run(address to, bytes calldata data) external {
        (bool done, ) = to.call(data);
        require(done, "failed");
    }
}
