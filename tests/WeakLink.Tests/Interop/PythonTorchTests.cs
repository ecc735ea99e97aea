using TorchSharp;
using WeakLink.Data;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

/// <summary>Files of PyTorch itself, and ours read by its published layout.</summary>
public sealed class PythonTorchTests : IDisposable
{
    // Networks written down from the papers for this test, with the names of torchvision, RobustBench's PreAct and RobustBench's wide ones.
    private const string Networks = """
        import json, struct, sys, collections
        import numpy as np, torch
        from torch import nn
        import torch.nn.functional as F
        torch.manual_seed(3)

        def conv(a, b, k, s=1): return nn.Conv2d(a, b, k, s, k // 2, bias=False)

        class Basic(nn.Module):
            def __init__(self, a, b, s):
                super().__init__()
                self.conv1, self.bn1, self.conv2, self.bn2 = conv(a, b, 3, s), nn.BatchNorm2d(b), conv(b, b, 3), nn.BatchNorm2d(b)
                self.downsample = nn.Sequential(conv(a, b, 1, s), nn.BatchNorm2d(b)) if s != 1 or a != b else None
            def forward(self, x):
                y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
                return F.relu(y + (x if self.downsample is None else self.downsample(x)))

        class Bottleneck(nn.Module):
            def __init__(self, a, b, s):
                super().__init__()
                self.conv1, self.bn1, self.conv2, self.bn2, self.conv3, self.bn3 = conv(a, b, 1), nn.BatchNorm2d(b), conv(b, b, 3, s), nn.BatchNorm2d(b), conv(b, 4 * b, 1), nn.BatchNorm2d(4 * b)
                self.downsample = nn.Sequential(conv(a, 4 * b, 1, s), nn.BatchNorm2d(4 * b)) if s != 1 or a != 4 * b else None
            def forward(self, x):
                y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
                return F.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))

        class PreAct(nn.Module):
            def __init__(self, a, b, s):
                super().__init__()
                self.bn1, self.conv1, self.bn2, self.conv2 = nn.BatchNorm2d(a), conv(a, b, 3, s), nn.BatchNorm2d(b), conv(b, b, 3)
                if s != 1 or a != b: self.shortcut = nn.Sequential(conv(a, b, 1, s))
            def forward(self, x):
                y = F.relu(self.bn1(x))
                short = self.shortcut(y) if hasattr(self, 'shortcut') else x
                return self.conv2(F.relu(self.bn2(self.conv1(y)))) + short

        class Wide(nn.Module):
            def __init__(self, a, b, s):
                super().__init__()
                self.bn1, self.conv1, self.bn2, self.conv2 = nn.BatchNorm2d(a), conv(a, b, 3, s), nn.BatchNorm2d(b), conv(b, b, 3)
                self.convShortcut = conv(a, b, 1, s) if a != b else None
            def forward(self, x):
                y = F.relu(self.bn1(x))
                return self.conv2(F.relu(self.bn2(self.conv1(y)))) + (x if self.convShortcut is None else self.convShortcut(y))

        def stage(block, a, b, n, s, e=1): return nn.Sequential(*[block(a if i == 0 else b * e, b, s if i == 0 else 1) for i in range(n)])

        class Net(nn.Module):
            def __init__(self, name):
                super().__init__()
                self.name = name
                if name.startswith('wide'):
                    self.conv1 = conv(3, 16, 3)
                    for i, (a, b) in enumerate([(16, 32), (32, 64), (64, 128)]):
                        block = nn.Module(); block.layer = stage(Wide, a, b, 1, 1 if i == 0 else 2)
                        block.forward = block.layer.forward
                        setattr(self, f'block{i + 1}', block)
                    self.bn1, self.fc = nn.BatchNorm2d(128), nn.Linear(128, 7)
                    return
                block, n, e = (PreAct, [2, 2, 2, 2], 1) if name.startswith('preact') else (Bottleneck, [3, 4, 6, 3], 4) if '50' in name else (Basic, [2, 2, 2, 2], 1)
                self.conv1 = conv(3, 8, 7, 2) if 'imagenet' in name else conv(3, 8, 3)
                if block is not PreAct: self.bn1 = nn.BatchNorm2d(8)
                a = 8
                for i, b in enumerate([8, 16, 32, 64]):
                    setattr(self, f'layer{i + 1}', stage(block, a, b, n[i], 1 if i == 0 else 2, e)); a = b * e
                if block is PreAct: self.bn, self.linear = nn.BatchNorm2d(64), nn.Linear(64, 7)
                else: self.fc = nn.Linear(64 * e, 7)
            def forward(self, x):
                x = (x - torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)) / torch.tensor([0.25, 0.2, 0.3]).view(1, 3, 1, 1)
                x = self.conv1(x)
                if self.name.startswith('wide'):
                    x = F.relu(self.bn1(self.block3(self.block2(self.block1(x)))))
                    return self.fc(x.mean((2, 3)))
                if hasattr(self, 'bn1'): x = F.relu(self.bn1(x))
                if 'imagenet' in self.name: x = F.max_pool2d(x, 3, 2, 1)
                x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
                if hasattr(self, 'bn'): x = F.relu(self.bn(x))
                return (self.linear if hasattr(self, 'linear') else self.fc)(x.mean((2, 3)))

        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("resnet18", "net.state_dict()")]
    [InlineData("resnet18-imagenet", "{'epoch': 3, 'state_dict': collections.OrderedDict(('module.' + k, v) for k, v in net.state_dict().items()), 'optimizer': opt.state_dict(), 'best': 0.5}")]
    [InlineData("resnet50", "{'model': {k: v for k, v in net.state_dict().items()}, 'scheduler': torch.optim.lr_scheduler.MultiStepLR(opt, [1, 2]).state_dict()}")]
    [InlineData("preact-resnet18", "{'net': {'model.' + k: nn.Parameter(v) if v.is_floating_point() else v for k, v in net.state_dict().items()}}")]
    [InlineData("wide-resnet-10-2", "net.state_dict()")]
    public void Checkpoint_OfPyTorch_GivesItsLogits(string name, string saved)
    {
        PythonTorch.Require(Networks + $"""
            net = Net('{name}')
            opt = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
            net.train()
            for _ in range(3):
                opt.zero_grad(); F.cross_entropy(net(torch.rand(16, 3, 32, 32)), torch.randint(7, (16,))).backward(); opt.step()
            net.eval()
            torch.save({saved}, '{_folder["model.pth"]}')
            torch.save({saved}, '{_folder["older.pth"]}', _use_new_zipfile_serialization=False)
            images = torch.rand(4, 3, 32, 32)
            images.numpy().tofile('{_folder["images"]}')
            net(images).detach().numpy().tofile('{_folder["logits"]}')
            """);
        WeakLink.Runtime.NativeLibraries.Load();
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        foreach (var file in new[] { "model.pth", "older.pth" })
        {
            using var weights = ImportedWeights.Read(_folder[file]);
            Assert.Equal(7, weights.Classes);
            using var network = NetworkCatalogue.Create(name, 7, [0.5, 0.4, 0.3], [0.25, 0.2, 0.3], widthMultiplier: name[0] == 'w' ? 1 : 0.125);
            weights.CopyTo(network);
            network.eval();
            Compare(file, Floats("logits", 4, 7), network.call(Floats("images", 4, 3, 32, 32)));
        }

        void Compare(string file, torch.Tensor expected, torch.Tensor actual)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{name} {file}: {Interop.Networks.Distance(expected, actual):g3} of {expected.abs().max().ToDouble():g3}");
            Assert.True(Interop.Networks.Distance(expected, actual) < 1e-5, $"{Interop.Networks.Distance(expected, actual):g3} of {expected.abs().max().ToDouble():g3}");
        }
    }

    [Theory]
    [InlineData("resnet18-imagenet")]
    [InlineData("resnet50")]
    [InlineData("preact-resnet18")]
    public void ExportedSafeTensors_LoadInPyTorch_ByTheirPublishedLayout(string name)
    {
        using var network = Interop.Networks.Create(name);
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        new NetworkExport(network, [.. "abcdefg".Select(letter => $"{letter}")], new ImagePreparation(32, 32)).WriteSafeTensors(_folder["model.safetensors"]);
        var images = Interop.Networks.Images(4, 32);
        File.WriteAllBytes(_folder["images"], images.bytes.ToArray());
        PythonTorch.Require(Networks + $"""
            data = open('{_folder["model.safetensors"]}', 'rb').read()
            size = struct.unpack('<Q', data[:8])[0]
            header = json.loads(data[8:8 + size])
            assert json.loads(header.pop('__metadata__')['classes']) == list('abcdefg')
            types = dict(F32=np.float32, I64=np.int64)
            state = dict()
            for key, info in header.items():
                start, end = info['data_offsets']
                state[key] = torch.from_numpy(np.frombuffer(data[8 + size + start:8 + size + end], types[info['dtype']]).reshape(info['shape']).copy())
            net = Net('{name}')
            net.load_state_dict(state, strict=True)
            net.eval()
            images = torch.from_numpy(np.fromfile('{_folder["images"]}', np.float32).reshape(4, 3, 32, 32))
            net(images).detach().numpy().tofile('{_folder["logits"]}')
            """);
        var (expected, actual) = (network.call(images), Floats("logits", 4, 7));
        Assert.True(Interop.Networks.Distance(expected, actual) < 1e-5, $"{Interop.Networks.Distance(expected, actual):g3}");
    }

    [Fact]
    public void CodeInAPickle_IsNeverRun()
    {
        PythonTorch.Require($$$"""
            import os, torch
            class Trap:
                def __reduce__(self): return os.system, ('touch {{{_folder["owned"]}}}',)
            torch.save({'state_dict': {'fc.weight': torch.zeros(2, 2), 'x': Trap()}}, '{{{_folder["trap.pth"]}}}')
            torch.save(torch.nn.Linear(2, 2), '{{{_folder["module.pth"]}}}')
            """);
        Assert.Contains("posix.system", Refusal("trap.pth"));
        Assert.Contains("torch.nn.modules.linear.Linear", Refusal("module.pth"));
        Assert.False(File.Exists(_folder["owned"]));
    }

    private string Refusal(string file) => Assert.Throws<InputException>(() => ImportedWeights.Read(_folder[file])).Message;

    private torch.Tensor Floats(string file, params long[] shape) =>
        torch.tensor(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(_folder[file])).ToArray()).reshape(shape);
}
