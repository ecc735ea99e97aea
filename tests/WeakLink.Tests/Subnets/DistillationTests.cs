using TorchSharp;
using WeakLink.Models;
using WeakLink.Subnets;

namespace WeakLink.Tests.Subnets;

public class DistillationTests
{
    [Theory]
    [InlineData(DivergenceMean.BatchMean, 1)]
    [InlineData(DivergenceMean.BatchAndClassMean, 2)]
    public void Loss_IsTheWeightedDivergenceByHand(DivergenceMean mean, double divisor)
    {
        using var scope = torch.NewDisposeScope();
        var network = new ToyNetwork();
        var random = new SeededRandom(0, RandomUse.Objective);
        var views = new[] { ToyNetwork.Batch(random, 5).Images, ToyNetwork.Batch(random, 5).Images };
        var subnet = new Subnet([[0, 1], [0, 4], [0, 1], [1, 2]]);
        var teacher = views.Select(view => network.forward(view, null) * 0.3).ToList();

        var expected = views.Zip(teacher).Average(pair =>
        {
            var p = pair.Second.softmax(1).data<float>().ToArray();
            var q = network.forward(pair.First, subnet).softmax(1).data<float>().ToArray();
            return p.Zip(q).Sum(both => both.First * Math.Log(both.First / both.Second)) / 5;
        }) / divisor;
        var student = views.Select(view => network.forward(view, subnet)).ToList();
        Assert.Equal(0.25 * expected, new Distillation(0.25, mean).Loss(teacher, student).ToDouble(), 1e-5);
    }

    [Theory]
    [InlineData(0, DivergenceMean.BatchMean, 1)]
    [InlineData(2, DivergenceMean.BatchMean, 0.5)]
    [InlineData(1, DivergenceMean.BatchAndClassMean, 1)]
    public void WhatIsReported_IsTheDivergenceInNats_HoweverItIsWeighed(double weight, DivergenceMean mean, double ramp)
    {
        using var scope = torch.NewDisposeScope();
        using var network = NetworkCatalogue.Create("resnet8", 4, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2], 0);
        network.train();
        using var search = new RandomSearch(network.Space, 0.5);
        var (images, labels) = (torch.rand(6, 3, 16, 16), torch.tensor([0L, 1, 2, 3, 0, 1]));
        var teacher = network.forward(images).detach();
        var student = network.forward(images, search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal))));
        var expected = (teacher.softmax(1) * (teacher.log_softmax(1) - student.log_softmax(1))).sum(1).mean().ToDouble();

        var taught = new EnhanceWeakSubnets(network, search, new Distillation(weight, mean))
            .TeachSubnet((run, views) => [.. views.Select(run)], [images], [teacher], labels, 0, new SeededRandom(0, RandomUse.Proposal), ramp);
        Assert.Equal(expected, taught.Divergence, 1e-5);
        Assert.InRange(taught.Divergence, 1e-4, 10);
    }

    [Fact]
    public void FullWidthSubnet_HasNoDivergenceFromItsTeacher()
    {
        using var scope = torch.NewDisposeScope();
        using var network = NetworkCatalogue.Create("resnet8", 4, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2], 0);
        network.train();
        using var search = new RandomSearch(network.Space, 1);
        var images = torch.rand(4, 3, 16, 16);
        var student = network.forward(images, search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal))));
        Assert.Equal(0, new Distillation().Loss([network.forward(images).detach()], [student]).ToDouble(), 1e-6);
    }
}
