"""One attack of the authors' AutoAttack on the network and the images that the benchmark wrote; prints a line of JSON.

usage: autoattack_peer.py AUTOATTACK FOLDER ATTACK NORM EPS
AUTOATTACK: a checkout of github.com/fra31/auto-attack. FOLDER: model.safetensors, images.npy, labels.npy (classified correctly, all of them).
"""
import json
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def convolution(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, shortcut):
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = convolution(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)) if shortcut else None

    def forward(self, x):
        branch = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(branch + (x if self.downsample is None else self.downsample(x)))


class Network(nn.Module):
    """A ResNet of basic blocks with a 3x3 stem, of the sizes that its weights have."""

    def __init__(self, state, metadata):
        super().__init__()
        channels = state['conv1.weight'].shape[0]
        self.conv1, self.bn1 = convolution(3, channels, 3), nn.BatchNorm2d(channels)
        self.stages = 0
        while f'layer{self.stages + 1}.0.conv1.weight' in state:
            self.stages += 1
            blocks = []
            while f'layer{self.stages}.{len(blocks)}.conv1.weight' in state:
                name = f'layer{self.stages}.{len(blocks)}'
                outputs, inputs = state[f'{name}.conv1.weight'].shape[:2]
                blocks.append(Block(inputs, outputs, 2 if self.stages > 1 and not blocks else 1, f'{name}.downsample.0.weight' in state))
            setattr(self, f'layer{self.stages}', nn.Sequential(*blocks))
        self.fc = nn.Linear(*reversed(state['fc.weight'].shape))
        self.load_state_dict(state)
        self.mean, self.deviation = (torch.tensor(json.loads(metadata[key])).view(1, 3, 1, 1) for key in ('mean', 'standard-deviation'))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1((x - self.mean) / self.deviation)))
        for stage in range(self.stages):
            x = getattr(self, f'layer{stage + 1}')(x)
        return self.fc(x.mean((2, 3)))


def read(path):
    data = open(path, 'rb').read()
    start = 8 + struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:start])
    metadata = header.pop('__metadata__')
    types = {'F32': np.float32, 'I64': np.int64}
    state = {}
    for name, entry in header.items():
        first, last = entry['data_offsets']
        state[name] = torch.from_numpy(np.frombuffer(data[start + first:start + last], types[entry['dtype']]).reshape(entry['shape']).copy())
    return Network(state, metadata).eval().requires_grad_(False)


def main(autoattack, folder, attack, norm, eps):
    torch.set_num_threads(1)
    sys.path.insert(0, autoattack)
    from autoattack import AutoAttack

    network = read(f'{folder}/model.safetensors')
    images, labels = (torch.from_numpy(np.load(f'{folder}/{name}.npy')) for name in ('images', 'labels'))
    with torch.no_grad():
        assert (network(images).argmax(1) == labels).all(), 'the network is not the one that classified these images'

    evaluation = AutoAttack(network, norm=norm, eps=float(eps), seed=0, version='standard', device='cpu', verbose=False)
    evaluation.attacks_to_run = [attack]
    start = time.perf_counter()
    adversarial = evaluation.run_standard_evaluation(images, labels, bs=len(images))
    taken = time.perf_counter() - start
    with torch.no_grad():
        robust = (network(adversarial).argmax(1) == labels).sum().item()
    print(json.dumps({'robust': robust, 'seconds': taken, 'torch': torch.__version__}))


main(*sys.argv[1:])
