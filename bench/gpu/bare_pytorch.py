"""The training step of `WeakLink.Benchmarks device` in bare PyTorch: ResNet-18 with the 3x3 stem, SGD with Nesterov's momentum, clipped gradients.

usage: python3 bare_pytorch.py [STEPS]
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, source, channels, stride):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(source, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))
        self.shortcut = nn.Sequential(nn.Conv2d(source, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        layers, source = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)], 64
        for channels in (64, 128, 256, 512):
            for block in range(2):
                layers.append(Block(source, channels, 2 if block == 0 and channels > 64 else 1))
                source = channels
        self.layers, self.classifier = nn.Sequential(*layers), nn.Linear(512, 10)

    def forward(self, x):
        return self.classifier(self.layers((x - 0.5) / 0.25).mean((2, 3)))


def seconds(batch, dtype, device, steps):
    model = ResNet18().to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9, weight_decay=1e-4, nesterov=True)
    images = torch.randint(0, 256, (batch, 3, 32, 32), dtype=torch.uint8)
    labels = torch.randint(0, 10, (batch,))

    def step():
        optimizer.zero_grad()
        x = images.to(device).float().div(255).to(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = F.cross_entropy(model(x), labels.to(device))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 3)
        optimizer.step()
        return loss.item()

    rounds = []
    for _ in range(4):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        rounds.append(time.perf_counter() - start)
    return sorted(rounds[1:])[1]


steps = int(sys.argv[1]) if len(sys.argv) > 1 else 50
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name() if device.type == 'cuda' else 'processor'}")
for batch in (128, 512) if device.type == "cuda" else (16,):
    for dtype in (torch.float32, torch.bfloat16):
        print(f"resnet18, batch {batch}, 32x32, {dtype} channels-last: {batch * steps / seconds(batch, dtype, device, steps):,.0f} images/s")
