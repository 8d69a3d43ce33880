// node client.js ADDRESS IDENTITY: uses the daemon at ADDRESS through a second, independent gRPC implementation, as a program
// would that has nothing of ours but the proto files. Ends with status 0 if everything is as the contract says.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const [address, identity] = process.argv.slice(2);
const protoDirectory = path.join(__dirname, '../../proto');
const loaderOptions = { keepCase: true, longs: Number, enums: String, defaults: true, includeDirs: [protoDirectory, __dirname] };
const definitions = loader.loadSync(
  ['socketeer/v1/socket_service.proto', 'socketeer/v1/host_service.proto', 'grpc/health/v1/health.proto', 'reflection.proto'],
  loaderOptions);
const clients = [];

// A client whose unary calls give promises.
function connect(definition) {
  const Client = grpc.makeGenericClientConstructor(definition, '');
  const client = new Client(address, grpc.credentials.createInsecure());
  clients.push(client);
  const calls = { client };
  for (const name of Object.keys(definition)) calls[name] = promisify(client[name].bind(client));
  return calls;
}

const sockets = connect(definitions['socketeer.v1.SocketService']);
const loopback = (port) => ({ inet: { ip: '127.0.0.1', port } });

async function talk() {
  const { socket: listener } = await sockets.OpenSocket({ type: 'SOCKET_TYPE_STREAM', bind: loopback(0), listen: {} });
  assert.equal(listener.state, 'STATE_LISTENING');
  assert.notEqual(listener.local.inet.port, 0);
  const { socket: client } = await sockets.OpenSocket({
    socket_id: 'node-client', type: 'SOCKET_TYPE_STREAM', connect: listener.local, labels: { app: 'node' } });
  assert.equal(client.name, 'sockets/node-client');
  const { socket: conn } = await sockets.AcceptSocket({ name: listener.name });
  assert.deepEqual(conn.peer, client.local);

  const bytes = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256));
  const sent = await sockets.SendData({ name: client.name, data: bytes, mode: 'MODE_WHOLE' });
  assert.equal(sent.bytes_sent, bytes.length);
  const received = await sockets.ReceiveData({
    name: conn.name, max_bytes: bytes.length, min_bytes: bytes.length, mode: 'MODE_WHOLE' });
  assert.deepEqual(received.data, bytes);
  const nothing = await sockets.ReceiveData({ name: conn.name, timeout: { seconds: 0 } });
  assert.deepEqual([nothing.timed_out, nothing.end_of_stream], [true, false]);
  await sockets.ShutdownSocket({ name: client.name, direction: 'DIRECTION_WRITE' });
  const end = await sockets.ReceiveData({ name: conn.name });
  assert.deepEqual([end.data.length, end.end_of_stream], [0, true]);

  for (const { name } of [conn, client, listener]) {
    assert.equal((await sockets.CloseSocket({ name })).socket.state, 'STATE_CLOSED');
  }
  assert.deepEqual((await sockets.ListSockets({})).sockets, []);
  return listener.local.inet.port;
}

// The google.rpc.Status in an error's trailer: what an error of this API consists of.
async function readDetails(error) {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) =>
    protobuf.common.get(target) ? target : path.join(protoDirectory, target);
  await root.load(['google/rpc/status.proto', 'google/rpc/error_details.proto', 'socketeer/v1/error.proto'],
    { keepCase: true });
  const [trailer] = error.metadata.get('grpc-status-details-bin');
  const status = root.lookupType('google.rpc.Status').decode(trailer);
  const details = status.details.map(({ type_url, value }) => {
    const type = root.lookupType(type_url.replace('type.googleapis.com/', ''));
    return type.toObject(type.decode(value), { enums: String, longs: Number });
  });
  return { status, details };
}

async function beRefused(port) {
  const error = await sockets.OpenSocket({ type: 'SOCKET_TYPE_STREAM', connect: loopback(port) }).then(
    () => assert.fail('nobody listens there'), (failure) => failure);
  assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
  const { status, details: [info, socketError] } = await readDetails(error);
  assert.equal(status.code, error.code);
  assert.equal(status.message, error.details);
  assert.deepEqual([info.domain, info.reason], ['socketeer', 'ECONNREFUSED']);
  assert.equal(socketError.operation, 'connect');
  assert.equal(socketError.system_call, 'connect');
  assert.deepEqual([socketError.errno_name, socketError.errno_number], ['ECONNREFUSED', 111]);
  assert.equal(socketError.origin, 'ORIGIN_KERNEL');
  assert.deepEqual(socketError.peer, loopback(port));
}

async function checkHealth() {
  const health = connect(definitions['grpc.health.v1.Health']);
  assert.equal((await health.Check({ service: '' })).status, 'SERVING');
}

// One answer of the reflection service.
function reflect(request) {
  const { client } = connect(definitions['grpc.reflection.v1alpha.ServerReflection']);
  return new Promise((resolve, reject) => {
    const stream = client.ServerReflectionInfo();
    stream.on('error', reject);
    stream.on('data', (answer) => { resolve(answer); stream.end(); });
    stream.write(request);
  });
}

// Calls the daemon with nothing but what it tells about itself.
async function callByReflection() {
  const { list_services_response: list } = await reflect({ list_services: '' });
  const names = list.service.map(({ name }) => name);
  for (const name of ['socketeer.v1.SocketService', 'socketeer.v1.HostService', 'grpc.health.v1.Health']) {
    assert.ok(names.includes(name), `${name} among ${names}`);
  }
  const { file_descriptor_response: files } = await reflect({ file_containing_symbol: 'socketeer.v1.HostService' });
  const set = protobuf.Writer.create();  // a FileDescriptorSet: field 1, repeated
  for (const file of files.file_descriptor_proto) set.uint32((1 << 3) | 2).bytes(file);
  const reflected = loader.loadFileDescriptorSetFromBuffer(Buffer.from(set.finish()), loaderOptions);
  const host = await connect(reflected['socketeer.v1.HostService']).GetHost({});
  assert.equal(host.identity, identity);
  assert.equal(host.usage.sockets, 0);
}

async function main() {
  await checkHealth();
  const closedPort = await talk();
  await beRefused(closedPort);
  await callByReflection();
  console.log(`all as the contract says, over ${address}`);
}

main().catch((error) => { console.error(error); process.exitCode = 1; })
  .finally(() => clients.forEach((client) => client.close()));
